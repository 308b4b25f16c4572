# Coopclaims: one readable Makefile. `make` builds the programs into build/, `make help` lists the targets.
#
#   B=DIR      where objects and programs go (build)      DEV=1       warnings are errors
#   CC=clang   another compiler                            SAN=asan    address+undefined, SAN=tsan threads

SAN  ?=
DEV  ?=
B    ?= build$(if $(SAN),/$(SAN))$(if $(filter clang%,$(CC)),/clang)
PKGS  = libevent_core libevent_pthreads libevent_extra hiredis jansson libzmq libsodium libcrypto icu-i18n icu-uc zlib
PKGS_WORKER  = libcurl libarchive
PKGS_EXTRACT = libseccomp libqpdf
PKGS_EXTRACT_BASE = libevent_core jansson libsodium libcrypto zlib
PKG  ?= pkg-config

WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wpointer-arith \
       -Wundef -Wvla -Wformat=2 -Wcast-qual -Wimplicit-fallthrough
ifeq (,$(findstring clang,$(CC)))
WARN += -Wjump-misses-init -Wlogical-op
endif
HARDEN  = -fno-common -fstack-protector-strong -fPIE
FORTIFY = -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
OPT     = -O2 -g
ifeq ($(SAN),asan)
SANFLAGS = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FORTIFY  = -U_FORTIFY_SOURCE
OPT      = -O1 -g
else ifeq ($(SAN),tsan)
SANFLAGS = -fsanitize=thread
FORTIFY  = -U_FORTIFY_SOURCE
OPT      = -O1 -g
else ifeq ($(SAN),fuzzer)
SANFLAGS = -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FORTIFY  = -U_FORTIFY_SOURCE
OPT      = -O1 -g
endif

PKG_CFLAGS := $(shell $(PKG) --cflags $(PKGS) $(PKGS_WORKER) $(PKGS_EXTRACT) 2>/dev/null)
CPPFLAGS += -D_GNU_SOURCE -Ishared -I. $(FORTIFY)
CFLAGS   += -std=gnu11 $(OPT) $(WARN) $(if $(DEV),-Werror) $(HARDEN) $(SANFLAGS) $(PKG_CFLAGS)
LDFLAGS  += -pie -Wl,-z,relro,-z,now $(SANFLAGS) -rdynamic
LDLIBS   := $(shell $(PKG) --libs $(PKGS) 2>/dev/null) -linih -lpthread -lm
# jemalloc: many small JSON values; half the CPU and no fragmentation. Sanitizers bring their own allocator.
ALLOC    := $(if $(SAN),,-ljemalloc)

# The folders are the architecture; a new file is picked up by its folder.
SRC_SHARED  := $(wildcard shared/*/*.c)
SRC_API     := $(wildcard api/*/*.c)
SRC_WORKER  := workers/process.c $(filter-out workers/documents/extract/%,$(wildcard workers/*/*.c))
SRC_EXTRACT := $(filter-out workers/documents/extract/main.c,$(wildcard workers/documents/extract/*.c))
obj = $(patsubst %.c,$(B)/obj/%.o,$(1))

PROGRAMS = $(B)/coopclaims $(B)/coopclaims-worker $(B)/coopclaims-extract
all: $(PROGRAMS)

$(B)/libshared.a: $(call obj,$(SRC_SHARED))
$(B)/libbase.a: $(call obj,$(wildcard shared/base/*.c))
$(B)/libapi.a: $(call obj,$(SRC_API))
$(B)/libworker.a: $(call obj,$(SRC_WORKER))
$(B)/libextract.a: $(call obj,$(SRC_EXTRACT))
$(B)/%.a:
	@mkdir -p $(@D)
	rm -f $@ && $(AR) rcs $@ $^

$(B)/coopclaims: $(call obj,api/main.c) $(B)/libapi.a $(B)/libshared.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(ALLOC)
$(B)/coopclaims-worker: $(call obj,workers/main.c) $(B)/libworker.a $(B)/libshared.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(shell $(PKG) --libs $(PKGS_WORKER)) $(ALLOC)
# Of ours it may link base alone, and of libraries nothing that talks to anyone.
$(B)/coopclaims-extract: $(call obj,workers/documents/extract/main.c) $(B)/libextract.a $(B)/libbase.a
	$(CC) $(LDFLAGS) -Wl,--as-needed -o $@ $^ $(shell $(PKG) --libs $(PKGS_EXTRACT) $(PKGS_EXTRACT_BASE)) -lmagic -lm

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/tests/test_extractor $(B)/bench/bench_extract: $(B)/coopclaims-extract

# Lua scripts are part of the object that names them (shared/store/script.h).
$(call obj,shared/store/script.c): $(wildcard shared/store/lua/*.lua)
$(call obj,shared/jobs/scripts.c): $(wildcard shared/jobs/lua/*.lua)
$(call obj,shared/engine/scripts.c): $(wildcard shared/engine/lua/*.lua)

$(call obj,api/commands/sandbox.c): shared/programs/example.json

# One program a unit test file; what is no test there (a private redis-server) helps all of them.
UNIT_HELP := $(call obj,$(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c)))
# libhttp-parser is a second opinion in some tests; Debian 13 has it no more, they are left out there.
ORACLE := $(if $(wildcard /usr/include/http_parser.h),-lhttp_parser)
NO_ORACLE := $(if $(ORACLE),,$(shell grep -l http_oracle.h tests/unit/*.c tests/fuzz/*.c))
UNIT := $(patsubst tests/unit/%.c,$(B)/tests/%,$(filter-out $(NO_ORACLE),$(wildcard tests/unit/test_*.c)))
unit-build: $(UNIT)
print-unit:
	@echo $(UNIT)
$(B)/tests/%: tests/unit/%.c $(UNIT_HELP) $(B)/libworker.a $(B)/libextract.a $(B)/libapi.a $(B)/libshared.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -o $@ $< $(UNIT_HELP) $(LDFLAGS) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group \
	    $(LDLIBS) $(shell $(PKG) --libs $(PKGS_WORKER) $(PKGS_EXTRACT)) -lmagic -lcmocka $(ORACLE)

# A program on one room alone, which a test in tests/conformance drives.
$(B)/tests/%: tests/conformance/%.c $(B)/libapi.a $(B)/libshared.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -o $@ $< $(LDFLAGS) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)

# Measurements: run by hand, or by `make bench`.
BENCH := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/bench_*.c))
bench-build: $(BENCH)
$(B)/bench/%: tests/bench/%.c $(UNIT_HELP) $(B)/libworker.a $(B)/libextract.a $(B)/libapi.a $(B)/libshared.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -o $@ $< $(UNIT_HELP) $(LDFLAGS) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group \
	    $(LDLIBS) $(shell $(PKG) --libs $(PKGS_WORKER) $(PKGS_EXTRACT)) -lmagic -lcmocka

# Fuzzers by libFuzzer, all of ours instrumented: $(B)/fuzzer/fuzz/fuzz_x [-max_total_time=S] SEEDS
FUZZ := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(filter-out $(NO_ORACLE),$(wildcard tests/fuzz/fuzz_*.c)))
fuzz-build:
	$(MAKE) CC=clang SAN=fuzzer B=$(B)/fuzzer fuzz-programs
fuzz-programs: $(FUZZ)
$(B)/fuzz/%: tests/fuzz/%.c $(B)/libworker.a $(B)/libextract.a $(B)/libapi.a $(B)/libshared.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -fsanitize=fuzzer -o $@ $< $(LDFLAGS) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group \
	    $(LDLIBS) $(shell $(PKG) --libs $(PKGS_WORKER) $(PKGS_EXTRACT)) -lmagic $(ORACLE)

-include $(shell find $(B)/obj $(B)/tests -name '*.d' 2>/dev/null)

# ---- what people type ----

help:
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 20

all: ## build the programs (the default)

run: all ## start a sandbox in data/ at port 8080; scripts/run takes options
	$(B)/coopclaims run --sandbox --data data

test: ## build and run every suite, as CI does
	scripts/test

# All sources and tests through both compilers with warnings as errors, then the rules no compiler knows.
ALL_C = $(SRC_SHARED) $(SRC_API) $(SRC_WORKER) $(SRC_EXTRACT) $(MAINS) \
        $(filter-out $(NO_ORACLE),$(wildcard tests/unit/*.c tests/bench/*.c tests/fuzz/*.c tests/conformance/*.c))
MAINS = api/main.c workers/main.c workers/documents/extract/main.c
lint: lint-includes lint-headers lint-gcc lint-clang lint-tidy ## warnings, include rules, headers alone, clang-tidy
lint-includes:
	scripts/lint-includes
lint-headers:
	@set -e; for h in $(wildcard shared/*/*.h api/*/*.h workers/*.h workers/*/*.h workers/*/*/*.h); do \
	    echo "#include \"$$h\"" | $(CC) $(CPPFLAGS) $(CFLAGS) -Werror -fsyntax-only -xc - || { echo "$$h does not stand alone"; exit 1; }; \
	done; echo "headers stand alone"
objects: $(call obj,$(ALL_C))
lint-gcc:
	$(MAKE) CC=gcc DEV=1 B=$(B)/lint objects
lint-clang:
	$(MAKE) CC=clang DEV=1 OPT=-O0 FORTIFY= B=$(B)/lint/clang objects
TIDY = clang-tidy --quiet --warnings-as-errors='*' --checks=$(TIDY_CHECKS)
# Those that found something or would, and are never wrong.
TIDY_CHECKS = -*,bugprone-assert-side-effect,bugprone-infinite-loop,bugprone-integer-division,$\
bugprone-macro-repeated-side-effects,bugprone-misplaced-operator-in-strlen-in-alloc,$\
bugprone-misplaced-pointer-arithmetic-in-alloc,bugprone-posix-return,bugprone-string-literal-with-embedded-nul,$\
bugprone-suspicious-memset-usage,bugprone-suspicious-semicolon,bugprone-terminating-continue,$\
bugprone-too-small-loop-variable,bugprone-undefined-memory-manipulation,misc-misplaced-const,$\
misc-redundant-expression,readability-duplicate-include,readability-misleading-indentation,$\
readability-redundant-declaration
lint-tidy: $(patsubst %.c,$(B)/lint/tidy/%.ok,$(filter-out tests/%,$(ALL_C)))
$(B)/lint/tidy/%.ok: %.c
	@mkdir -p $(@D)
	@$(TIDY) $< -- $(CPPFLAGS) -std=gnu11 $(PKG_CFLAGS) 2>/dev/null && touch $@

analyze: ## gcc's and clang's static analysers (slow)
	$(MAKE) CC=gcc OPT='-O1 -g -fanalyzer' B=$(B)/analyze $(patsubst %.c,$(B)/analyze/obj/%.o,$(filter-out tests/%,$(ALL_C)))
	@for f in $(filter-out tests/%,$(ALL_C)); do clang --analyze -Xclang -analyzer-output=text $(CPPFLAGS) -std=gnu11 \
	    $(PKG_CFLAGS) -o /dev/null $$f; done

format: ## clang-format what is changed against the last commit
	git diff --name-only --diff-filter=d HEAD -- '*.[ch]' | xargs -r clang-format -i

asan: ## unit tests under AddressSanitizer and UBSan
	scripts/test --san asan
tsan: ## unit tests under ThreadSanitizer
	scripts/test --san tsan

FUZZ_SECONDS ?= 20
fuzz: fuzz-build ## every fuzzer for FUZZ_SECONDS (20) each
	scripts/fuzz $(B)/fuzzer $(FUZZ_SECONDS)

bench: all bench-build ## measure the real thing: requests/s, CPU a request, jobs
	bash -c '. scripts/packages.sh && need_packages bench test'
	COOPCLAIMS_BUILD=$(B) /usr/bin/python3 tests/bench/run

queue-check: all ## 20 reviewers take 500 claims at once: none twice, none missed
	COOPCLAIMS_BUILD=$(abspath $(B)) QUEUE_CLAIMS=500 /usr/bin/python3 -m pytest -q -p no:cacheprovider tests/integration/test_queue.py

money-check: all ## the long tests of money: 200 rounds of 50 clients for the last of it, long random histories
	$(MAKE) B=$(B) $(B)/tests/test_money_histories
	COOPCLAIMS_HISTORIES=40 $(B)/tests/test_money_histories
	COOPCLAIMS_BUILD=$(abspath $(B)) COOPCLAIMS_ROUNDS=200 /usr/bin/python3 -m pytest -q -p no:cacheprovider tests/integration/test_last_money.py \
	    tests/faults/test_money_kills.py

container-check: ## build the image and bring the compose file up with a real Docker engine (root, Debian 12)
	scripts/container-check

PREFIX ?= /usr/local
install: all ## to PREFIX (/usr/local), below DESTDIR
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/bin $(PROGRAMS)
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/coopclaims README.md LICENSE
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/coopclaims/programs shared/programs/*.json

clean: ## remove what was built
	rm -rf $(B)
.SECONDARY: $(UNIT_HELP)
.PHONY: help all run test queue-check lint lint-includes lint-headers lint-gcc lint-clang lint-tidy analyze format asan tsan fuzz bench \
    container-check money-check install clean unit-build print-unit objects bench-build fuzz-build fuzz-programs
