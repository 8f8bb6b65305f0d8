#!/bin/sh
# What a payment provider of an operator does when money has come in: it tells the node, and signs what it says.
#
#   examples/webhook_provider.sh https://home.example/api/v1/wallet/webhooks/NAME SECRET_FILE ID CENTS CURRENCY [REFERENCE]
#
# It prints what the node answers, and fails unless the node has taken it. Calling it again with the same ID does no harm: the payment
# counts once. It is for reading and trying: `ps` shows a secret that is given to openssl; a provider signs in its own program.
set -eu

url=$1 secret=$(cat "$2") id=$3 amount=$4 currency=$5 reference=${6:-}

# The signature covers the time, a dot and the body, byte by byte as it is sent.
body=$(printf '{"id":"%s","amount":%s,"currency":"%s","reference":"%s"}' "$id" "$amount" "$currency" "$reference")
seconds=$(date +%s)
signature=$(printf '%s.%s' "$seconds" "$body" | openssl dgst -sha256 -hmac "$secret" -hex | sed 's/.* //')

exec curl --silent --show-error --fail-with-body --max-time 20 \
  --header 'content-type: application/json' \
  --header "weft-timestamp: $seconds" \
  --header "weft-signature: v1=$signature" \
  --data-binary "$body" "$url"
