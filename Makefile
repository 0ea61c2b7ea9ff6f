# `make` alone lists what there is. Only Node 20.19+ and make are needed; `make train` also wants Python.
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help node install build run test check format soak bench train clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

node:
	@command -v node >/dev/null || { echo "Sluice needs Node 20.19 or newer: https://nodejs.org" >&2; exit 1; }
	@node tools/requireNode.cjs

# npm leaves this file behind; it tells whether what is installed is what the lockfile says.
node_modules/.package-lock.json: package-lock.json
	@$(MAKE) node
# Not npm ci: it refuses a lockfile that lacks platform packages which the registry it was made with does not carry.
# Versions come from the lockfile all the same, and it is not written.
	npm install --no-save --no-audit --no-fund
	@touch node_modules/.package-lock.json

install: node node_modules/.package-lock.json ## Install the npm packages, if the lockfile changed

build: install ## Compile to dist/
	@npm run --silent build

run: build ## Start Sluice with a simulated gateway and print the console's address
	@./sluice demo

test: build ## Run every check and every test; the last line is the summary
	@npm run --silent test

check: install ## Format, lint, types, layers, unused
	@npm run --silent check

format: install ## Format every file
	@npm run --silent format

soak: install ## Compare the feature state with its oracle for hours: make soak VALUES=100000000 SEED=1
	@npx --no-install tsx tools/soak.ts --values $(or $(VALUES),100000000) --seed $(or $(SEED),1)

bench: build ## Run a benchmark: make bench NAME=engine
	@test -n "$(NAME)" || { echo "Which one? make bench NAME=engine (or rules, state, burst, snapshot, reservoir, shap, flip, lists, http, overload, import, handbook)" >&2; exit 1; }
	@GLIBC_TUNABLES=glibc.malloc.hugetlb=1 node dist/bench/main.js $(NAME)

train: build ## Train the default model on simulated payments (needs Python 3.11 or newer)
	@command -v python3 >/dev/null || { echo "make train needs Python 3.11 or newer: https://www.python.org" >&2; exit 1; }
	@test -x .venv/bin/python || python3 -m venv .venv
	@.venv/bin/pip install --quiet --requirement models/training/requirements.txt
	@npx --no-install tsx tools/train.ts

clean: ## Remove what was built and installed (data/ stays)
	rm -rf dist node_modules coverage artifacts .venv
