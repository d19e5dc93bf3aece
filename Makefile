# Everything a developer does here. "make test" needs Go, git, make and a Debian
# machine, and brings the rest itself.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

NODE := proxy/interop/node
FUZZTIME ?= 60s

STATICCHECK := go tool -modfile=tools.mod staticcheck

.PHONY: help
help: ## show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

.PHONY: test
test: FUZZTIME = 10s
test: setup lint race interop allocs fuzz ## everything that CI checks, with a short fuzz

.PHONY: race
race: ## every test, with the race detector
	go test -race -timeout 40m ./...

.PHONY: interop
interop: ## only the clients that others wrote, with how many calls each made
	go test -race -v ./proxy/interop

.PHONY: allocs
allocs: ## how often a request allocates, which the race detector would change
	go test -count=1 -v -run '^TestAllocations$$' ./proxy

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME: make fuzz FUZZTIME=10m
	scripts/fuzz $(FUZZTIME)

.PHONY: endure
endure: ## what takes long: reloads and restarts under load, in their whole length
	KMPROXY_LONG=1 go test -count=1 -timeout 60m -v ./e2e

.PHONY: timing
timing: ## whether failures to decrypt can be told apart by their time: 20,000 samples of each kind
	KMPROXY_TIMING=1 go test -count=1 -timeout 60m -v -run 'TestTiming$$' ./proxy

.PHONY: scale
scale: ## 100,000 keys: what every command costs in time and memory, and a look-up
	SCALE=100000 go test -count=1 -timeout 30m -v -run '^TestScale$$' ./cmd/kmproxy

.PHONY: bench
bench: ## kmproxy beside other gateways, written to docs/benchmarks.md; where its time goes; what a ring of keys costs
	KMPROXY_BENCH_OUT=../docs/benchmarks.md go test -run '^$$' -bench Gateways -benchtime 1x -timeout 60m -v ./bench
	go test -run '^$$' -bench WarmRequest -benchtime 1x -v ./bench
	go test -run '^$$' -bench Ring -benchmem ./keys

.PHONY: kill
kill: ## kill -9 at 1,000 random moments of every command that changes the store
	KILLS=1000 go test -count=1 -timeout 60m -v -run '^TestKilled$$' ./cmd/kmproxy

.PHONY: model
model: ## 10,000 random acts in two processes on one store, compared with a model
	MODEL_STEPS=10000 go test -count=1 -v -run '^TestTwoProcesses$$' ./keys

.PHONY: lint
lint: ## formatting, vet, staticcheck
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "gofmt wants: $$unformatted" >&2; exit 1; }
	go mod tidy -diff
	go vet ./...
	$(STATICCHECK) ./...

.PHONY: build
build: ## dist/kmproxy, one static binary that knows its commit
	CGO_ENABLED=0 go build -trimpath -buildvcs=auto -o dist/kmproxy ./cmd/kmproxy

RELEASE ?= dist/kmproxy-release

# The linker warns that getaddrinfo is not for static binaries: it is in a part of BoringCrypto
# that nothing calls.
.PHONY: release
release: ## dist/kmproxy-release, the same with BoringCrypto's RSA, which is faster: needs gcc
	CGO_ENABLED=1 GOEXPERIMENT=boringcrypto go build -trimpath -buildvcs=auto -tags osusergo,netgo \
		-ldflags '-linkmode=external -extldflags=-static' -o $(RELEASE) ./cmd/kmproxy

.PHONY: setup
setup: ## install what the tests need and is missing: Debian packages, npm's jose, Go modules
	@scripts/setup-debian
	@if command -v npm >/dev/null; then $(MAKE) -s --no-print-directory $(NODE)/node_modules/.package-lock.json; fi
	@go mod download
	@go mod download -modfile=tools.mod

$(NODE)/node_modules/.package-lock.json: $(NODE)/package.json $(NODE)/package-lock.json
	cd $(NODE) && npm ci --ignore-scripts
	@touch $@

.PHONY: clean
clean: ## remove what was made here
	rm -rf dist $(NODE)/node_modules
