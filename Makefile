# Everything from a bare checkout: Python 3.11 or later and make are all that is needed.
# PYTHON=python3.12 make demo   picks another interpreter.

PYTHON ?= python3
BIN = .venv/bin

.PHONY: demo records postgresql test check lint wheel bench lock clean

demo: .venv/run.done
	@$(BIN)/sprue demo $(ARGS)

# What exports need for Parquet, XLSX and PDF, and months moved to Parquet.
records: .venv/records.done

# What a record in PostgreSQL needs.
postgresql: .venv/postgresql.done

# Two processes share the tests, as most of a test is waiting; ARGS="-n 0 ..." has them run in one.
test: .venv/dev.done
	@$(BIN)/pytest -n 2 --dist loadgroup $(ARGS)

check: .venv/dev.done
	@scripts/check

lint: .venv/dev.done
	@scripts/lint

wheel: .venv/dev.done
	@scripts/wheel

bench: .venv/dev.done
	@$(BIN)/python -m bench $(ARGS)

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Sprue needs Python 3.11 or later; this is " + sys.version.split()[0])'
	$(PYTHON) -m venv .venv
	@touch $@

# The lock says exactly what is installed, by hash; the project itself comes without looking further.
.venv/run.done: .venv/made constraints/run.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r constraints/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/records.done: .venv/run.done constraints/records.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r constraints/records.txt
	@touch $@

.venv/postgresql.done: .venv/run.done constraints/postgresql.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r constraints/postgresql.txt
	@touch $@

.venv/dev.done: .venv/run.done constraints/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r constraints/dev.txt
	@touch $@

# Renews the locks after a change of pyproject.toml.
lock: .venv/dev.done
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --extra build pyproject.toml --output-file constraints/run.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --extra build --extra records --constraint constraints/run.txt pyproject.toml --output-file constraints/records.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --extra build --extra postgresql --constraint constraints/run.txt pyproject.toml --output-file constraints/postgresql.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --extra build --extra dev --extra postgresql --extra records --constraint constraints/records.txt --constraint constraints/postgresql.txt pyproject.toml --output-file constraints/dev.txt

clean:
	rm -rf .venv dist build
