/*
 * scripts - the Lua of lua/, built into the program: prelude.lua (and row.lua, where jobs are shown), then the
 * script's own file.
 */
#include "jobs/scripts.h"

#define LUA(name)	".incbin \"shared/jobs/lua/" name ".lua\"\n"
#define SCRIPT(script, files)                                                                                    \
	__asm__(".pushsection .rodata\nlua_jobs_" #script ":\n" LUA("prelude") files ".byte 0\n.popsection\n"); \
	extern const char lua_jobs_##script[] __asm__("lua_jobs_" #script) __attribute__((visibility("hidden"))); \
	struct store_script jobs_##script##_script = { "jobs_" #script, lua_jobs_##script, "" }

SCRIPT(lease, LUA("lease"));
SCRIPT(complete, LUA("complete"));
SCRIPT(extend, LUA("extend"));
SCRIPT(fail, LUA("fail"));
SCRIPT(release, LUA("release"));

SCRIPT(peek, LUA("peek"));
SCRIPT(sweep, LUA("sweep"));
SCRIPT(timers, LUA("timers"));
SCRIPT(timers_due, LUA("timers_due"));

SCRIPT(retry, LUA("row") LUA("retry"));
SCRIPT(discard, LUA("row") LUA("discard"));
SCRIPT(get, LUA("row") LUA("get"));
SCRIPT(list, LUA("row") LUA("list"));
SCRIPT(count, LUA("row") LUA("count"));

SCRIPT(announce, LUA("announce"));
SCRIPT(leave, LUA("leave"));
SCRIPT(directory, LUA("directory"));
