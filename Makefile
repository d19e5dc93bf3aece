# The tasks of a developer. "make test" needs Go, git, make and a Debian machine, and
# installs everything else.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

NODE := proxy/interop/node
FUZZTIME ?= 60s

STATICCHECK := go tool -modfile=tools.mod staticcheck

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

.PHONY: test
test: FUZZTIME = 10s
test: setup lint race interop allocs fuzz ## everything that CI runs, with a short fuzz

.PHONY: race
race: ## every test, with the race detector
	go test -race -timeout 40m ./...

.PHONY: interop
interop: ## calls by independent clients, with the number of calls of each
	go test -race -v ./proxy/interop

.PHONY: allocs
allocs: ## allocations of a request, without the race detector, which changes them
	go test -count=1 -v -run '^TestAllocations$$' ./proxy

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME: make fuzz FUZZTIME=10m
	scripts/fuzz $(FUZZTIME)

.PHONY: endure
endure: ## the long tests: reloads and restarts under load, at full length
	KMPROXY_LONG=1 go test -count=1 -timeout 60m -v ./e2e

.PHONY: timing
timing: ## compare the times of decryption failures: 20,000 samples of each kind
	KMPROXY_TIMING=1 go test -count=1 -timeout 60m -v -run 'TestTiming$$' ./proxy

.PHONY: scale
scale: ## time and memory of each command, and of a look-up, with 100,000 keys
	SCALE=100000 go test -count=1 -timeout 30m -v -run '^TestScale$$' ./cmd/kmproxy

.PHONY: bench
bench: ## compare with other gateways and write docs/benchmarks.md; profile a request; measure the ring of keys
	KMPROXY_BENCH_OUT=../docs/benchmarks.md go test -run '^$$' -bench Gateways -benchtime 1x -timeout 60m -v ./bench
	go test -run '^$$' -bench WarmRequest -benchtime 1x -v ./bench
	go test -run '^$$' -bench Ring -benchmem ./keys/ring

.PHONY: kill
kill: ## kill -9 each command that changes the store at 1,000 random moments
	KILLS=1000 go test -count=1 -timeout 60m -v -run '^TestKilled$$' ./cmd/kmproxy

.PHONY: model
model: ## compare 10,000 random changes by two processes on one store with a model
	MODEL_STEPS=10000 go test -count=1 -v -run '^TestTwoProcesses$$' ./keys/manage

.PHONY: lint
lint: ## formatting, vet, staticcheck, and functions that nothing calls
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "not formatted: $$unformatted" >&2; exit 1; }
	go mod tidy -diff
	go vet ./...
	$(STATICCHECK) ./...
	scripts/deadcode

.PHONY: build
build: ## build dist/kmproxy, a static binary that reports its commit
	CGO_ENABLED=0 go build -trimpath -buildvcs=auto -o dist/kmproxy ./cmd/kmproxy

RELEASE ?= dist/kmproxy-release

# The linker warns about getaddrinfo in a static binary: only an unused part of
# BoringCrypto calls it.
.PHONY: release
release: ## build dist/kmproxy-release with BoringCrypto's faster RSA; needs gcc
	CGO_ENABLED=1 GOEXPERIMENT=boringcrypto go build -trimpath -buildvcs=auto -tags osusergo,netgo \
		-ldflags '-linkmode=external -extldflags=-static' -o $(RELEASE) ./cmd/kmproxy

.PHONY: setup
setup: ## install what the tests need: Debian packages, npm's jose, Go modules
	@scripts/setup-debian
	@if command -v npm >/dev/null; then $(MAKE) -s --no-print-directory $(NODE)/node_modules/.package-lock.json; fi
	@go mod download
	@go mod download -modfile=tools.mod

$(NODE)/node_modules/.package-lock.json: $(NODE)/package.json $(NODE)/package-lock.json
	cd $(NODE) && npm ci --ignore-scripts
	@touch $@

.PHONY: clean
clean: ## remove build results
	rm -rf dist $(NODE)/node_modules
