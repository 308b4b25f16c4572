# Coopclaims: one readable Makefile. `make` builds the programs into build/, `make help` lists the targets.
#
#   B=DIR      where objects and programs go (build)      DEV=1       warnings are errors
#   CC=clang   another compiler                            SAN=asan    address+undefined, SAN=tsan threads

SAN  ?=
DEV  ?=
B    ?= build$(if $(SAN),/$(SAN))$(if $(filter clang%,$(CC)),/clang)
PKGS  = libevent_core libevent_pthreads libevent_extra hiredis jansson libzmq libsodium libcrypto icu-i18n icu-uc zlib
PKGS_WORKER  = libcurl
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

CPPFLAGS += -D_GNU_SOURCE -Ishared -I. $(FORTIFY)
CFLAGS   += -std=gnu11 $(OPT) $(WARN) $(if $(DEV),-Werror) $(HARDEN) $(SANFLAGS) \
            $(shell $(PKG) --cflags $(PKGS) $(PKGS_WORKER) $(PKGS_EXTRACT) 2>/dev/null)
LDFLAGS  += -pie -Wl,-z,relro,-z,now $(SANFLAGS) -rdynamic
LDLIBS   := $(shell $(PKG) --libs $(PKGS) 2>/dev/null) -linih -lpthread -lm
# jemalloc: many small JSON values; half the CPU and no fragmentation. Sanitizers bring their own allocator.
ALLOC    := $(if $(SAN),,-ljemalloc)

# The folders are the architecture; a new file is picked up by its folder.
SRC_SHARED  := $(wildcard shared/*/*.c)
SRC_API     := $(wildcard api/*/*.c)
SRC_WORKER  := $(filter-out workers/documents/extract/%,$(wildcard workers/*/*.c))
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

# One program a unit test file; what is no test there (a private redis-server) helps all of them.
UNIT_HELP := $(call obj,$(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c)))
UNIT := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c))
unit-build: $(UNIT)
$(B)/tests/%: tests/unit/%.c $(UNIT_HELP) $(B)/libworker.a $(B)/libextract.a $(B)/libapi.a $(B)/libshared.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -o $@ $< $(UNIT_HELP) $(LDFLAGS) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group \
	    $(LDLIBS) $(shell $(PKG) --libs $(PKGS_WORKER) $(PKGS_EXTRACT)) -lmagic -lcmocka -lhttp_parser

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
FUZZ := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz-build:
	$(MAKE) CC=clang SAN=fuzzer B=$(B)/fuzzer fuzz-programs
fuzz-programs: $(FUZZ)
$(B)/fuzz/%: tests/fuzz/%.c $(B)/libworker.a $(B)/libextract.a $(B)/libapi.a $(B)/libshared.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -fsanitize=fuzzer -o $@ $< $(LDFLAGS) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group \
	    $(LDLIBS) $(shell $(PKG) --libs $(PKGS_WORKER) $(PKGS_EXTRACT)) -lmagic -lhttp_parser

-include $(shell find $(B)/obj $(B)/tests -name '*.d' 2>/dev/null)

clean:
	rm -rf $(B)
.PHONY: all clean unit-build bench-build fuzz-build fuzz-programs
