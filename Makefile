# Everything a person runs. `make` alone lists it. What the targets do is in backend/scripts/.

.DEFAULT_GOAL := help
.PHONY: help run test test-backend test-frontend test-e2e lint format bench sample screenshots lock audit clean

# The first Python on PATH that is new enough runs the launchers; they need nothing but its standard library.
define launch
@for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
		PYTHONPATH=backend PYTHONDONTWRITEBYTECODE=1 exec "$$python" -m scripts.$(1); \
	fi; \
done; \
echo "Python 3.11 or newer is needed; none was found on PATH ($$(python3 --version 2>&1 | head -n 1))." >&2; exit 1
endef

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r target text; do \
		printf '  make %-14s %s\n' "$$target" "$$text"; done

run: ## start the server on this machine: sets everything up, then http://localhost:3000; Ctrl-C stops it
	$(call launch,run)

test: ## the whole suite: linters, both databases, the pages, the journeys in a browser
	$(call launch,test)

test-backend: ## the back end's tests, on SQLite and on PostgreSQL
	$(call launch,test backend)

test-frontend: ## the front end's unit tests and build
	$(call launch,test frontend)

test-e2e: ## the journeys in Chromium
	$(call launch,test journeys)

lint: ## linters and type checks of both halves
	$(call launch,test lint)

format: ## format both halves
	$(call launch,chore format)

bench: ## measure speed and memory against the bare minimum
	$(call launch,chore bench)

sample: ## make the sample volume in data/ again
	$(call launch,chore sample)

screenshots: ## take the pictures of the documents again, docs/images/
	$(call launch,chore screenshots)

lock: ## resolve the dependencies anew and write the lock files
	$(call launch,chore lock)

audit: ## look up known holes in the locked dependencies
	$(call launch,chore audit)

clean: ## remove what was installed and built; data and accounts stay
	rm -rf .venv frontend/node_modules frontend/build frontend/.svelte-kit
