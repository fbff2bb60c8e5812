# Restante. `make run` is the first thing to try; CONTRIBUTING.md tells the rest.

PYTHON ?= python3
BIN := .venv/bin
T ?= 600
N ?= 1000
UV := uv==0.13.9
PIP_AUDIT := pip-audit==2.10.1
LOCKING := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
# Tests run in a network namespace in which only lo is up: no packet leaves the machine.
ON_LOOPBACK := $(BIN)/python -m tests.on_loopback

# A failed step of a pipe fails the recipe.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
# Turns pip's lines into one that counts. A terminal shows each state, a file only the last.
SHOW_PROGRESS = awk -v tty="$$([ -t 1 ] && echo 1)" \
    '/^(Collecting|Processing) / { n++; if (tty) { printf "\r\033[K  %d: %s", n, $$2; fflush() } } \
     /^Installing/    { if (tty) { printf "\r\033[K  unpacking"; fflush() } } \
     /^Successfully/  { printf "%s  %d packages installed\n", tty ? "\r\033[K" : "", n }'

.PHONY: install dev schema-fixture client dist site run demo test unit screenshots recording crash turn-kills cluster fuzz simulate bench stalls scale check check-types check-prose check-links check-style check-layers check-spelling format lock audit docs clean

# Whether .venv has the Python that $(PYTHON) starts.
HAS_PYTHON = [ "$$(readlink -f .venv/bin/python)" = "$$($(PYTHON) -c 'import os, sys; print(os.path.realpath(sys.executable))')" ]
.PHONY: another-python
another-python:

# The virtual environment is made again when the lock files or the project's metadata have changed,
# and when PYTHON was given and is another one.
.venv/.installed: requirements.lock requirements-dev.lock pyproject.toml \
    $(if $(filter-out file,$(origin PYTHON)),$(shell $(HAS_PYTHON) || echo another-python))
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "make: $(PYTHON) is missing or older than 3.11: install Python 3.11, or run make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
	    echo "make: $(PYTHON) cannot make a virtual environment: run apt install python3-venv, then make again"; exit 1; }
	@echo "Installing into .venv (about half a minute) ..."
	@$(HAS_PYTHON) || rm -rf .venv # that of another Python, whose libraries do not fit
	@$(PYTHON) -m venv .venv
	@PYTHONUNBUFFERED=1 $(BIN)/python -m pip install --progress-bar off --disable-pip-version-check --require-hashes \
	    -r requirements-dev.lock | $(SHOW_PROGRESS)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

install: .venv/.installed

# All that a contributor needs; it prints the next steps.
dev: install
	@$(BIN)/python -m tools.contributor_start

# The program of customers, as a wheel and as a single file, into dist/.
client: install
	$(BIN)/python -m tools.build_client dist

# The source distribution and the wheel, with the pinned dependencies beside them, into dist/. The
# same commit gives the same octets.
dist: install
	$(BIN)/python -m tools.build_dist dist

.PHONY: deb release packages-test packages-ci packages-ci-deb packages-ci-others

# The package for the Debian release of this machine, into dist/. It needs Debian's debhelper.
deb: install
	$(BIN)/python -m tools.build_deb dist

# All files of a release, with a list of their parts and a signature by KEY=~/.ssh/id_ed25519, into
# dist/VERSION. OUT=DIRECTORY; WHEELS=DIRECTORY has the libraries, instead of the registry.
.venv/release/.installed: requirements-release.lock | .venv/.installed
	@echo "Installing the tools of a release into .venv/release ..."
	@$(PYTHON) -m venv .venv/release
	@.venv/release/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

release: install .venv/release/.installed
	@[ -n "$(KEY)" ] || { echo "make: name the key that signs: make release KEY=~/.ssh/id_ed25519"; exit 1; }
	$(BIN)/python -m tools.build_release --key "$(KEY)" $(if $(WHEELS),--wheels "$(WHEELS)") $(OUT)

# The documents as a site that can be searched, into site/. A broken link fails it. Its tools have an
# environment of their own, so `make install` does not bring them.
.venv/site/.installed: requirements-site.lock
	@echo "Installing the tools of the site into .venv/site ..."
	@$(PYTHON) -m venv .venv/site
	@PYTHONUNBUFFERED=1 .venv/site/bin/python -m pip install --progress-bar off --disable-pip-version-check \
	    --require-hashes -r requirements-site.lock | $(SHOW_PROGRESS)
	@touch $@

site: .venv/site/.installed
	@.venv/site/bin/python -m tools.build_site site

run: install
	@$(BIN)/python demo/run.py

demo: install
	@$(BIN)/python demo/demo.py

# A worker on each processor, or WORKERS=3: many tests wait for servers. Each file of tests runs on one
# of them: its servers start once.
test: install
	$(ON_LOOPBACK) pytest --numprocesses $(or $(WORKERS),auto) --maxprocesses 16 --dist loadfile --no-loadscope-reorder \
		--durations 40 --durations-min 3

# The tests of the pure modules, without sockets, files and processes, with fewer examples, for use
# while you work: under ten seconds on two cores. tests/pure_modules.py finds them.
unit: install
	$(ON_LOOPBACK) tests.unit_run

# A picture of every page of the portal, into screenshots/. Needs Debian's chromium.
screenshots: install
	$(ON_LOOPBACK) tests.browser.screenshots

# A recording of `restante top` beside a real server, into docs/pictures/top.svg.
recording: install
	PYTHONPATH=demo $(ON_LOOPBACK) record_top docs/pictures/top.svg

# The packages in clean trees of Debian, as root, without a network; some minutes. ONLY='deb readme':
# these of tests/packages. `python` and `deb` have newer releases of Debian too; FURTHER= leaves them
# out, and PYTHONS='/path/to/python3.12' adds some of this machine. `arm64` runs under QEMU, and
# `wheels` looks for those of ARM64 and musl. All trees are in memory.
FURTHER_python := trixie forky
FURTHER_deb := trixie
FURTHER_wheels := elsewhere
FURTHER_arm64 := elsewhere arm64
FURTHER = $(sort $(foreach one,$(or $(ONLY),python arm64),$(FURTHER_$(one))))
packages-test: install .venv/release/.installed
	FURTHER='$(FURTHER)' ci/install-packaging \
		setpriv --pdeathsig KILL unshare --mount --propagation private --pid --fork --kill-child --mount-proc \
		/bin/sh -ec 'mount -t tmpfs -o mode=1777 packages /mnt; TMPDIR=/mnt exec "$$@"' sh \
		$(ON_LOOPBACK) pytest -q --timeout 3600 -o python_files='check_*.py' --durations 5 \
		$(or $(ONLY:%=tests/packages/check_%.py),tests/packages)

# CI's part of these, in two runs beside each other; each has a network of its own. Packages are
# hardly compressed, which takes most of the time of a build.
packages-ci: install .venv/release/.installed
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=recurse packages-ci-deb packages-ci-others

packages-ci-deb: TESTED = deb
packages-ci-others: TESTED = readme tools release
packages-ci-deb packages-ci-others:
	@DPKG_DEB_COMPRESSOR_LEVEL=0 $(MAKE) --no-print-directory packages-test FURTHER= ONLY='$(TESTED)'

# N kills of the server and the destination under load. Prints the numbers of messages that were
# acknowledged, lost, invented and doubled.
crash: install
	$(ON_LOOPBACK) tests.acceptance.crash.campaign $(N) $(SEED)

# MESSAGES handed to Exim by ATRN, with N kills of the server, of Exim and of the connection.
turn-kills: install
	$(ON_LOOPBACK) tests.acceptance.crash.turn_campaign $(or $(MESSAGES),10000) $(N) $(SEED)

# Tests that damage content in the tables, or expect that a scrub reads it: it reads no object.
IN_TABLES := bounced_whatever_their_state and not parks_what_is_damaged

# The contract of a store on PostgreSQL in its other forms: plain SQL, content in an object store,
# PostgreSQL 15 of Debian, and a pooler in transaction mode, with whole servers too; POOLER=/path/of/pgbouncer. Each takes some
# minutes.
contract-postgres: install
	RESTANTE_PLAIN=1 $(ON_LOOPBACK) pytest -q tests/contract tests/contract_shared -k postgres
	RESTANTE_OBJECTS=1 $(ON_LOOPBACK) pytest -q tests/contract -k "postgres and not $(IN_TABLES)"
	RESTANTE_POSTGRES=/usr/lib/postgresql/15/bin \
		$(ON_LOOPBACK) pytest -q tests/contract tests/contract_shared -k postgres
	$(if $(POOLER),RESTANTE_POOLER=$(POOLER) \
		$(ON_LOOPBACK) pytest -q tests/contract tests/contract_shared -k postgres)
	$(if $(POOLER),RESTANTE_POOLER=$(POOLER) \
		$(ON_LOOPBACK) pytest -q tests/acceptance/test_shared_store.py tests/acceptance/test_two_servers.py)

# N faults of servers on one database and of that database, under load. Prints the numbers of
# messages that were acknowledged, lost and doubled.
cluster: install
	$(ON_LOOPBACK) tests.cluster.campaign $(N) $(SEED)

# T seconds in all, a target on each processor. Findings are written to tests/fuzz/findings, and
# `make test` replays them. SEED=7: draw the same in each run.
fuzz: install
	$(ON_LOOPBACK) tests.fuzz.run_all $(T) $(if $(SEED),--seed $(SEED))

# T seconds of servers with simulated peers and faults, one seed after another on each processor.
# SEED=7: only that one, STORE=sqlite: on this store; FIRST=1: from this seed; TRACE=1: print all
# events; MUTANT=NAME: add a fault.
simulate: install
	$(ON_LOOPBACK) tests.simulation $(T) $(if $(SEED),--seed $(SEED)) $(if $(FIRST),--first $(FIRST)) \
		$(if $(MUTANT),--mutant $(MUTANT)) $(if $(STORE),--store $(STORE)) $(if $(TRACE),--trace)

# Restante beside stock mail servers, as root; bench/README.md describes the results. QUICK=1: in
# about six minutes. EVERY=1, ROUNDS=5, ROWS='accept-* drain-0ms', DIR=/on/the/disk/to/measure,
# PUBLISH=1 (writes docs/benchmarks.md), KEEP=1 (with ROWS: keeps the other rows of the page).
bench: install
	$(BIN)/python -m bench $(if $(QUICK),--quick) $(if $(EVERY),--every) $(if $(ROUNDS),--rounds $(ROUNDS)) \
		$(if $(ROWS),--rows '$(ROWS)') $(if $(DIR),--dir '$(DIR)') $(if $(KEEP),--keep) $(if $(PUBLISH),--publish)

# The longest delay of mail by each call of the operator, as root. MESSAGES=100000, ROUNDS=5,
# DIR=/on/the/disk, CALLS='queue list*|audit*', PUBLISH=1 (writes it into docs/benchmarks.md).
stalls: install
	$(ON_LOOPBACK) bench.stalls $(if $(MESSAGES),--messages $(MESSAGES)) $(if $(ROUNDS),--rounds $(ROUNDS)) \
		$(if $(DIR),--dir '$(DIR)') $(if $(CALLS),--calls '$(CALLS)') $(if $(PUBLISH),--publish)

# The store on PostgreSQL with much mail: MESSAGES=1000000, DOMAINS=10000, DIR=/on/the/disk, PARTS=figures,sweep,
# DELETE=100000. It fills the database once for each DIR, and leaves it there.
scale: install
	$(BIN)/python -m bench.scale $(if $(MESSAGES),--messages $(MESSAGES)) $(if $(DOMAINS),--domains $(DOMAINS)) \
		$(if $(DIR),--dir '$(DIR)') $(if $(PARTS),--parts '$(PARTS)') $(if $(DELETE),--delete $(DELETE))

# Two at a time, the longest first. Each prints when it has ended.
check: install
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target check-types check-prose check-links check-style check-layers check-spelling

check-types:
	$(BIN)/mypy

check-prose:
	$(BIN)/python -m tools.prose

check-links:
	$(BIN)/python -m tools.links

check-style:
	$(BIN)/ruff check
	$(BIN)/ruff format --check

check-layers:
	$(BIN)/lint-imports

check-spelling:
	$(BIN)/codespell

format: install
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: install
	$(BIN)/python docs/generate.py

# A store of the present schema, as text, which every later version must open.
schema-fixture: install
	$(BIN)/python -m tests.on_loopback tests.released.record

# Both tools have an environment of their own: nothing of them is in what is installed.
lock:
	@$(PYTHON) -m venv .venv/tools
	@.venv/tools/bin/python -m pip install --quiet --disable-pip-version-check $(UV)
	.venv/tools/bin/uv pip compile $(LOCKING) pyproject.toml -o requirements.lock
	.venv/tools/bin/uv pip compile $(LOCKING) --extra postgres --extra objects pyproject.toml -o requirements-postgres.lock
	.venv/tools/bin/uv pip compile $(LOCKING) --group dev pyproject.toml -o requirements-dev.lock
	.venv/tools/bin/uv pip compile $(LOCKING) --group pyproject.toml:release -o requirements-release.lock
	.venv/tools/bin/uv pip compile $(LOCKING) --group pyproject.toml:site -o requirements-site.lock

# Looks up every pinned package in the database of known vulnerabilities. Fails without a network.
# One lock file at a time: they may pin different versions of a package.
audit:
	@$(PYTHON) -m venv .venv/tools
	@.venv/tools/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_AUDIT)
	@failed=; for lock in requirements*.lock; do echo "$$lock:"; \
	    .venv/tools/bin/pip-audit --strict --require-hashes --disable-pip --timeout 20 -r $$lock || failed=1; done; \
	[ -z "$$failed" ] || { \
	    echo "make: the pins were not found to be free of known vulnerabilities: see above; an error of the connection means that the database could not be reached"; exit 1; }

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
