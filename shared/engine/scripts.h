/* scripts - the Lua of the feed's cursor, of deliveries and of lists: lua/, each with its arguments and answer. Inside the room only. */
#ifndef ENGINE_SCRIPTS_H
#define ENGINE_SCRIPTS_H

#include "store/store.h"

extern struct store_script engine_fanout_read_script, engine_fanout_move_script, engine_fanout_leave_script;
extern struct store_script engine_make_script, engine_due_script, engine_record_script, engine_back_script,
    engine_discard_script, engine_list_script, engine_endpoints_script;
extern struct store_script engine_index_page_script;

#endif
