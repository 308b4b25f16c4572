/* scripts - the Lua of lua/, built into the program: the preludes, then the script's own file. */
#include "engine/scripts.h"

#define LUA(name)	".incbin \"shared/engine/lua/" name ".lua\"\n"
#define SCRIPT(script, prelude)                                                                                      \
	__asm__(".pushsection .rodata\nlua_engine_" #script ":\n" prelude LUA(#script) ".byte 0\n.popsection\n");      \
	extern const char lua_engine_##script[] __asm__("lua_engine_" #script) __attribute__((visibility("hidden"))); \
	struct store_script engine_##script##_script = { "engine_" #script, lua_engine_##script, "" }

#define COMMON		LUA("prelude")
#define DELIVERIES	LUA("prelude") LUA("prelude_deliveries")

SCRIPT(fanout_read, COMMON);
SCRIPT(fanout_move, COMMON);
SCRIPT(fanout_leave, COMMON);
SCRIPT(list, COMMON);
SCRIPT(endpoints, COMMON);
SCRIPT(index_page, COMMON);

SCRIPT(make, DELIVERIES);
SCRIPT(due, DELIVERIES);
SCRIPT(record, DELIVERIES);
SCRIPT(back, DELIVERIES);
SCRIPT(discard, DELIVERIES);
