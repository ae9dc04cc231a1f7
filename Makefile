# The commands of everyday development. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help test quick lint types demo bench screens docs docs-serve

help: ## List these commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

test: ## Run all tests that this machine can run
	uv run pytest

quick: ## Run the tests without servers, browsers and kills
	uv run pytest tests/unit tests/store tests/tasks tests/test_settings.py

lint: ## Check style and formatting
	uv run ruff check . && uv run ruff format --check .

types: ## Check the types of the package and its tests
	uv run mypy

demo: ## Run the whole program on sample data
	uv run digest demo

bench: ## Measure delivery beside the raw limit of the mail server (needs Postfix's smtp-sink)
	uv run python -m tests.benchmarks.delivery

screens: ## Draw the screens of the desk for docs/screens.md (needs Chromium)
	uv run python -m tests.support.screens

docs: ## Build the documentation into build/docs; a dead link is an error
	uv run --group docs mkdocs build --strict --quiet --site-dir build/docs

docs-serve: ## Read the documentation in a browser while you write it
	uv run --group docs mkdocs serve
