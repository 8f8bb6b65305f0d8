# Weft, from sources: `make run` starts a node, `make test` checks everything. The work is done in scripts/.
.DEFAULT_GOAL := help
.PHONY: help run demo test dev wasm ui fmt lint bench audit clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Install what is missing, build all, start a node on http://127.0.0.1:8440 (data in ./data)
	@scripts/run.sh

demo: ## Two nodes on this machine and three people who talk across them; nothing is kept
	@scripts/demo.sh

test: ## Check everything; STEPS="fmt clippy" runs some, scripts/test.sh --list names them
	@scripts/test.sh $(STEPS)

dev: ## The fast loop: a debug node and the UI, reloaded as you type
	@scripts/dev.sh

wasm: ## Build the engine for the browser, if it changed
	@scripts/setup.sh build
	@scripts/build-wasm.sh

ui: wasm ## Build the web UI, if it changed
	@scripts/build-ui.sh

fmt: ## Format the Rust sources
	cargo fmt --all

lint: ## Clippy and the house rules
	cargo clippy --workspace --all-targets -- -D warnings
	cargo test --test tidy

bench: ## Benchmarks, in release
	cargo bench --workspace

audit: ## Licences, bans and advisories of what we depend on (builds cargo-deny the first time)
	@scripts/audit.sh

clean: ## Remove what was built here; the tools in the cache and ./data stay
	cargo clean
	rm -rf web/dist web/src/engine/pkg web/node_modules tests/browser/node_modules
