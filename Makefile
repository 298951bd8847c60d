# What a person does with this checkout. Everything is made in .venv and installed by apt only where it is missing.

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-lab lint bench fleet-10k generated docs pins wheel deb clean
# Two of these at once would make the same .venv; the tests share out the processors themselves.
.NOTPARALLEL:

BIN := .venv/bin
ARGS ?=
BENCH ?= $(sort $(filter-out bench/loopback.py bench/bayesect.py,$(wildcard bench/*.py)))

# The lab's hosts are built and run with these; what runs inside of them is in their image.
LAB_PACKAGES := qemu-system-x86 qemu-utils mmdebstrap uidmap iproute2 nftables e2fsprogs grub-pc-bin grub-common \
	dnsmasq-base openssh-client kmod
# The site of the documents has its drawing made by this.
DOCS_PACKAGES := graphviz
# The tests talk to a real sshd on a loopback port, read real connection tables in namespaces of their own, and run the
# guard's script in two shells under a linter's eye.
TEST_PACKAGES := $(LAB_PACKAGES) $(DOCS_PACKAGES) openssh-server iputils-ping conntrack busybox shellcheck nfs-ganesha nfs-ganesha-mem prometheus prometheus-alertmanager icinga2-bin monitoring-plugins-basic \
	slapd ldap-utils nginx-light etcd-server openssl unbound nsd postgresql git chromium nfs-kernel-server keepalived conntrackd pacemaker-cli-utils \
	ngircd sudo zsh fish mandoc man-db systemd
DEB_PACKAGES := dpkg-dev fakeroot python3-venv
# What some of our figures stand beside.
BENCH_PACKAGES := sysstat prometheus-node-exporter
# These would take the place of what keeps this machine's clock, so they are unpacked and not installed.
UNPACKED := chrony

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F '|' '{ printf "%-15s %s\n", $$1, $$2 }'

setup: ## makes .venv from the pinned requirements; a second time it does nothing
	@tools/setup

demo: setup ## a kernel upgrade that goes wrong and comes back, on real kernels here (ARGS="--scenario good")
	@tools/ensure-packages "the lab" $(LAB_PACKAGES)
	@$(BIN)/seatrial demo $(ARGS)

test: setup ## lint, all fast tests, then the few lab tests that carry the promise
	@tools/ensure-packages "the tests" $(TEST_PACKAGES)
	@tools/unpack-packages .venv/debian $(UNPACKED)
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python -m pytest -q -m "not lab" --numprocesses logical --dist loadfile $(ARGS)
	@$(BIN)/python -m pytest -q -m "lab and promise" $(ARGS)

test-lab: setup ## all lab tests: real kernels, so they take a while
	@tools/ensure-packages "the lab" $(TEST_PACKAGES)
	@tools/unpack-packages .venv/debian $(UNPACKED)
	@$(BIN)/python -m pytest -m lab $(ARGS)

lint: setup ## ruff and mypy
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

bench: setup ## the measurements that the documents quote
	@tools/ensure-packages "the lab" $(TEST_PACKAGES) $(BENCH_PACKAGES)
	@test -x .venv/peers/bin/python || $(BIN)/python -m venv .venv/peers
	@.venv/peers/bin/python -m pip install --quiet --require-hashes -r requirements/bench.txt
	@set -e; for script in $(BENCH); do PEERS=$(CURDIR)/.venv/peers/bin/python $(BIN)/python $$script $(ARGS); done

fleet-10k: setup ## writes a fleet of 10,000 simulated hosts in 200 groups, to be rehearsed (OUT=FILE)
	@test -n "$(OUT)" || { echo "make fleet-10k OUT=FILE" >&2; exit 2; }
	@$(BIN)/python tools/make_fleet.py --hosts 10000 --groups 200 $(OUT)

generated: setup ## writes those documents that are made from the code
	@$(BIN)/python tools/make_docs.py
	@$(BIN)/python tools/make_shell_files.py

docs: generated ## the documents as a site in build/site, which needs no network to be read
	@tools/ensure-packages "the drawings" $(DOCS_PACKAGES)
	@$(BIN)/python -m sphinx -q -W --keep-going -E -a -c docs/site -d build/doctrees . build/site
	@echo "docs      build/site/index.html"

pins: ## pins the requirements anew (wants pip-tools)
	@tools/pin-requirements

wheel: setup ## builds the wheel into dist/
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

deb: setup ## builds the Debian package into dist/, with its libraries in it
	@tools/ensure-packages "the Debian package" $(DEB_PACKAGES)
	@tools/build-deb

clean: ## removes .venv and what the tools left
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis src/*.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
