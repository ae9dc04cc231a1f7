# The commands of everyday development. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help test quick lint types demo bench docs docs-serve

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

docs: ## Build the documentation into build/docs; a dead link is an error
	uv run --group docs mkdocs build --strict --quiet --site-dir build/docs

docs-serve: ## Read the documentation in a browser while you write it
	uv run --group docs mkdocs serve
