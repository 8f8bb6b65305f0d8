import { m } from '$messages/messages';
import { CallFailed } from '../engine/calls';

/** What went wrong, in the words of the person. Codes are those of the engine and of the node. */
const texts: Record<string, () => string> = {
  offline: m.error_offline,
  timeout: m.error_timeout,
  engine_restarted: m.error_restarted,
  bad_input: m.error_input,
  invalid_field: m.error_input,
  weak_password: m.error_weak_password,
  wrong_phrase: m.error_wrong_phrase,
  wrong_recovery: m.error_wrong_recovery,
  bad_link: m.error_bad_link,
  own_link: m.error_own_link,
  unknown_contact: m.error_unknown_contact,
  unknown_chat: m.error_unknown_chat,
  not_in_group: m.error_not_in_group,
  not_allowed: m.error_not_allowed,
  last_owner: m.error_last_owner,
  no_device: m.error_no_device,
  conflict: m.error_conflict,
  not_found: m.error_not_found,
  node_unreachable: m.error_node_unreachable,
  key_changed: m.error_key_changed,
  state_damaged: m.error_damaged,
  wrong_credentials: m.error_wrong_credentials,
  password_unsure: m.error_password_unsure,
  expired: m.error_expired,
  forbidden: m.error_forbidden,
  no_consent: m.error_no_consent,
  unauthenticated: m.error_signed_out,
  device_revoked: m.error_signed_out,
  not_signed_in: m.error_signed_out,
  name_taken: m.error_name_taken,
  invite_required: m.error_invite_required,
  invite_invalid: m.error_invite_invalid,
  signup_closed: m.error_signup_closed,
  too_large: m.error_too_large,
  too_many: m.error_too_many,
  quota: m.error_quota,
  storage_unavailable: m.error_storage,
  shutting_down: m.error_shutting_down,
  internal: m.error_internal,
};

/** What a code means; none: it is one of a later version. */
export function codeText(code: string): string | null {
  return texts[code]?.() ?? null;
}

/** One sentence for a code that was kept from a call. */
export function textOfCode(code: string): string {
  return codeText(code) ?? m.error_unknown({ what: code });
}

/** When to try again, ms from now; 0: nobody has said. */
export function retryAfter(error: unknown): number {
  return error instanceof CallFailed ? (error.retryAfterMs ?? 0) : 0;
}

/** One sentence for a call that was not done. */
export function errorText(error: unknown): string {
  if (!(error instanceof CallFailed)) return m.error_unknown({ what: String(error) });
  if (error.code === 'rate_limited') {
    const seconds = Math.max(1, Math.ceil((error.retryAfterMs ?? 10_000) / 1000));
    return seconds < 90 ? m.error_rate_seconds({ seconds }) : m.error_rate_minutes({ minutes: Math.ceil(seconds / 60) });
  }
  return codeText(error.code) ?? m.error_unknown({ what: error.message });
}

/** The code of a call that was not done; none: it is no such thing. */
export function errorCode(error: unknown): string | null {
  return error instanceof CallFailed ? error.code : null;
}

/** Which field an error belongs under; `null`: the whole form. */
export function errorField(error: unknown): string | null {
  if (!(error instanceof CallFailed)) return null;
  const byCode: Record<string, string> = {
    name_taken: 'name',
    weak_password: 'password',
    wrong_phrase: 'phrase',
    wrong_recovery: 'phrase',
    invite_required: 'invite',
    invite_invalid: 'invite',
    bad_link: 'target',
    own_link: 'target',
  };
  return byCode[error.code] ?? error.field;
}
