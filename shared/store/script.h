/*
 * script - a Lua script of a file is part of the program: STORE_SCRIPT(script_lease, "lease",
 * "shared/jobs/lua/lease.lua") in one .c file defines `struct store_script script_lease` for store_eval().
 * The path is from the top of the tree; the Makefile says which .c file is compiled again when a script
 * changes.
 */
#ifndef STORE_SCRIPT_H
#define STORE_SCRIPT_H

#include "store/store.h"

#define STORE_SCRIPT(variable, script_name, path)                                                         \
	__asm__(".pushsection .rodata\n"                                                                  \
		"lua_" #variable ":\n"                                                                    \
		".incbin \"" path "\"\n"                                                                  \
		".byte 0\n"                                                                               \
		".popsection\n");                                                                         \
	extern const char lua_##variable[] __asm__("lua_" #variable) __attribute__((visibility("hidden"))); \
	struct store_script variable = { script_name, lua_##variable, "" }

#endif
