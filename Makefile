# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
#   make PYTHON=python3.13 test   uses another Python
#   make CORE=2.16 test           uses another ansible-core than the newest for that Python
# Each combination has a virtual environment of its own.

PYTHON ?= python3
CORE ?=
SCHEDULES ?= 10000

# Two run at a time; the longest goes first.
PARTS := sanity unit integration molecule lint docs

PYTHON_VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
VENV := $(CURDIR)/.venv/$(PYTHON_VERSION)$(if $(CORE),-core-$(CORE))
VENV_READY := $(VENV)/ready
BENCH_READY := $(VENV)/bench-ready
TREE := $(CURDIR)/.tree
INSTALLED := $(TREE)/ansible_collections/cvops/custom_vision/MANIFEST.json

# Folders are listed along with their files: a folder's time tells that a file has been removed.
# Whole paths, because `docs` is a target too.
SHIPPED := $(shell find $(addprefix $(CURDIR)/,galaxy.yml README.md CHANGELOG.md LICENSE plugins roles \
	playbooks meta docs changelogs) -name __pycache__ -prune -o -print 2>/dev/null)

# What the caller's shell holds must not decide whether a test passes.
unexport PYTHONPATH PYTHONHOME PYTEST_ADDOPTS $(filter ANSIBLE_% MOLECULE_% VISION_%,$(.VARIABLES))
export PATH := $(VENV)/bin:$(PATH)
export LC_ALL := C.UTF-8
# The emulator's addresses are no proxy's business.
export no_proxy := 127.0.0.1
export PYTHONDONTWRITEBYTECODE := 1
export PIP_QUIET := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export ANSIBLE_CONFIG := $(CURDIR)/tests/ansible.cfg
export ANSIBLE_HOME := $(CURDIR)/.ansible
export ANSIBLE_COLLECTIONS_PATH := $(TREE)

.DELETE_ON_ERROR:
.PHONY: help demo emulator test $(PARTS) soak bench fleet dist clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

demo: $(INSTALLED) ## promote sample projects between two emulated resources
	@python tests/demo.py

emulator: $(VENV_READY) ## serve two emulated resources, one filled with samples, until interrupted
	@python tests/emulator --resources dev,prod --samples dev

test: $(INSTALLED) ## run all the parts below and sum them up
	@python tests/parts.py --command '$(MAKE) --no-print-directory -o $(VENV_READY) -o $(INSTALLED)' $(PARTS)

unit: $(VENV_READY) ## test the utilities and the modules, and play a few random schedules of faults
	@pytest -n 3 tests/unit
	@pytest -n 4 tests/soak --schedules 20

integration: $(INSTALLED) ## test the artifact and run playbooks from it
	@tests/browser.sh
	@pytest -n 2 tests/integration

molecule: $(INSTALLED) ## test the role with Molecule
	@test -n "$(wildcard extensions/molecule/*/molecule.yml)" || \
	    { echo 'There is no scenario in extensions/molecule.' >&2; exit 1; }
	@molecule test --all

lint: $(INSTALLED) ## check with ansible-lint and the changelog with antsibull-changelog
	@ansible-lint
	@antsibull-changelog lint

sanity: $(VENV_READY) ## run ansible-test sanity
	@tests/sanity.sh

docs: $(VENV_READY) ## check the documentation of the collection
	@antsibull-docs lint-collection-docs --plugin-docs .

soak: $(VENV_READY) ## play random schedules of faults; make SCHEDULES=100 soak plays fewer
	@pytest -n 4 tests/soak --schedules $(SCHEDULES)

bench: $(INSTALLED) $(BENCH_READY) ## measure on a quiet machine and write to docs/performance.md, in 20 minutes
	@python tests/bench
	@python tests/bench/fleet.py

fleet: $(INSTALLED) ## measure and write only what is said of many destinations, in 8 minutes
	@python tests/bench/fleet.py

dist: $(INSTALLED) ## build the artifact into dist/

clean: ## remove all that make has made
	rm -rf .ansible .hypothesis .pytest_cache .tree .venv dist tests/output

$(VENV_READY): tests/requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	    "Python 3.11 or newer is needed and $(PYTHON) is $(PYTHON_VERSION): name one with make PYTHON=...")'
	@echo 'Creating the virtual environment $(VENV)'
	@rm -rf '$(VENV)'
	@$(PYTHON) -m venv '$(VENV)'
	@python -m pip install -r $< $(if $(CORE),'ansible-core==$(CORE).*')
	@touch $@

$(BENCH_READY): tests/bench/requirements.txt $(VENV_READY)
	@python -m pip install -r $<
	@touch $@

$(INSTALLED): $(SHIPPED) | $(VENV_READY)
	@rm -rf dist '$(TREE)'
	@ansible-galaxy collection build --output-path dist
	@ansible-galaxy collection install dist/*.tar.gz -p '$(TREE)' --offline --force
	@touch $@
