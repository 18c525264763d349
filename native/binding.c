/*
 * JavaScript's side of thread_control.h, on Node-API 8: one binary for Node 20 and later and for Electron. Every
 * argument is checked before anything is set: wrong types throw TypeError, numbers out of range RangeError.
 */
#ifndef NAPI_VERSION
#define NAPI_VERSION 8
#endif
/* Electron refuses external ArrayBuffers; none is made here. */
#ifndef NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED
#define NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED
#endif
#include <math.h>
#include <node_api.h>

#include "text.h"

/* Indices of `usage`'s target. */
enum { USAGE_VALUES = 7 };

static napi_value throw_type(napi_env env, const char *message) {
  napi_throw_type_error(env, NULL, message);
  return NULL;
}

/* False if an exception is pending, or is thrown here: `what` is not a whole number from min to max. */
static bool whole_number(napi_env env, napi_value value, const char *what, double min, double max, double *number) {
  char message[160];
  napi_valuetype type;
  if (napi_typeof(env, value, &type) != napi_ok) return false;
  if (type != napi_number || napi_get_value_double(env, value, number) != napi_ok) {
    snprintf(message, sizeof message, "%s is not a number", what);
    napi_throw_type_error(env, NULL, message);
    return false;
  }
  /* NaN fails the comparisons too */
  if (*number >= min && *number <= max && floor(*number) == *number) return true;
  snprintf(message, sizeof message, "%s is %g, expected a whole number from %.0f to %.0f", what, *number, min, max);
  napi_throw_range_error(env, NULL, message);
  return false;
}

/* The property, or NULL if an exception is pending (a getter's, a proxy's). */
static napi_value property(napi_env env, napi_value object, const char *name) {
  napi_value value = NULL;
  return napi_get_named_property(env, object, name, &value) == napi_ok ? value : NULL;
}

static bool number_property(napi_env env, napi_value object, const char *name, double min, double max,
                            uint32_t *number) {
  double given = 0;
  napi_value value = property(env, object, name);
  if (value == NULL || !whole_number(env, value, name, min, max, &given)) return false;
  *number = (uint32_t)given;
  return true;
}

static bool boolean_property(napi_env env, napi_value object, const char *name, bool *flag) {
  napi_value value = property(env, object, name);
  if (value == NULL) return false;
  if (napi_get_value_bool(env, value, flag) == napi_ok) return true;
  char message[64];
  snprintf(message, sizeof message, "%s is not a boolean", name);
  napi_throw_type_error(env, NULL, message);
  return false;
}

static bool name_property(napi_env env, napi_value object, char name[FD_NAME_BYTES]) {
  napi_value value = property(env, object, "name");
  if (value == NULL) return false;
  /* cut to what fits, at a whole character */
  if (napi_get_value_string_utf8(env, value, name, FD_NAME_BYTES, NULL) == napi_ok) return true;
  throw_type(env, "name is not a string");
  return false;
}

static bool cpus_property(napi_env env, napi_value object, fd_request *request) {
  napi_value list = property(env, object, "cpus");
  if (list == NULL) return false;
  napi_valuetype type;
  if (napi_typeof(env, list, &type) != napi_ok) return false;
  request->any_cpu = type == napi_null;
  if (request->any_cpu) return true;
  bool is_array = false;
  if (napi_is_array(env, list, &is_array) != napi_ok || !is_array) {
    throw_type(env, "cpus is not an array or null");
    return false;
  }
  uint32_t length = 0;
  if (napi_get_array_length(env, list, &length) != napi_ok) return false;
  if (length == 0 || length > FD_MAX_CPUS) {
    napi_throw_range_error(env, NULL, "cpus has no or too many elements, expected 1 to 8192");
    return false;
  }
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    double cpu = 0;
    if (napi_get_element(env, list, i, &element) != napi_ok) return false;
    if (!whole_number(env, element, "a number of cpus", 0, FD_MAX_CPUS - 1, &cpu)) return false;
    fd_cpu_add(&request->cpus, (uint32_t)cpu);
  }
  return true;
}

/* False if an exception is pending. */
static bool read_request(napi_env env, napi_value object, fd_request *request) {
  uint32_t priority = 0;
  memset(request, 0, sizeof *request);
  if (!name_property(env, object, request->name)) return false;
  if (!number_property(env, object, "priority", FD_NORMAL, FD_REALTIME, &priority)) return false;
  request->priority = (fd_priority)priority;
  return cpus_property(env, object, request) &&
         number_property(env, object, "periodUs", 0, 60e6, &request->period_us) &&
         number_property(env, object, "budgetUs", 0, 60e6, &request->budget_us) &&
         number_property(env, object, "realtimePriority", 1, 99, &request->realtime_priority) &&
         number_property(env, object, "timerSlackNs", 0, 1e9, &request->timer_slack_ns) &&
         boolean_property(env, object, "brokered", &request->brokered);
}

/* The setters below do nothing once a value could not be made: the caller then sees the pending exception. */

static void set(napi_env env, napi_value object, const char *name, napi_value value) {
  if (value != NULL) napi_set_named_property(env, object, name, value);
}

static void set_number(napi_env env, napi_value object, const char *name, double number) {
  napi_value value = NULL;
  if (napi_create_double(env, number, &value) == napi_ok) set(env, object, name, value);
}

static void set_null(napi_env env, napi_value object, const char *name) {
  napi_value value = NULL;
  if (napi_get_null(env, &value) == napi_ok) set(env, object, name, value);
}

static void set_text(napi_env env, napi_value object, const char *name, const char *text) {
  napi_value value = NULL;
  if (text[0] == 0) set_null(env, object, name);
  else if (napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value) == napi_ok) set(env, object, name, value);
}

static void set_boolean(napi_env env, napi_value object, const char *name, bool flag) {
  napi_value value = NULL;
  if (napi_get_boolean(env, flag, &value) == napi_ok) set(env, object, name, value);
}

static void set_how(napi_env env, napi_value object, const char *name, const fd_how *how) {
  napi_value value = NULL;
  if (napi_create_object(env, &value) != napi_ok) return;
  set_text(env, value, "mechanism", how->mechanism);
  set_text(env, value, "reason", how->reason);
  set(env, object, name, value);
}

static void set_cpus(napi_env env, napi_value object, const fd_state *state) {
  napi_value list = NULL;
  if (!state->cpus_known) {
    set_null(env, object, "cpus");
    return;
  }
  if (napi_create_array(env, &list) != napi_ok) return;
  uint32_t length = 0;
  for (uint32_t cpu = 0; cpu < FD_MAX_CPUS; cpu++) {
    napi_value number = NULL;
    if (!fd_cpu_has(&state->cpus, cpu)) continue;
    if (napi_create_uint32(env, cpu, &number) == napi_ok) napi_set_element(env, list, length++, number);
  }
  set(env, object, "cpus", list);
}

static napi_value state_object(napi_env env, const fd_state *state) {
  napi_value object = NULL;
  if (napi_create_object(env, &object) != napi_ok) return NULL;
  set_text(env, object, "error", state->error);
  if (state->thread_id < 0) set_null(env, object, "threadId");
  else set_number(env, object, "threadId", (double)state->thread_id);
  set_number(env, object, "priority", state->priority);
  set_text(env, object, "policy", state->policy);
  if (state->niceness == FD_UNKNOWN_NICENESS) set_null(env, object, "niceness");
  else set_number(env, object, "niceness", state->niceness);
  set_cpus(env, object, state);
  if (state->timer_slack_ns < 0) set_null(env, object, "timerSlackNs");
  else set_number(env, object, "timerSlackNs", (double)state->timer_slack_ns);
  set_text(env, object, "demoted", state->demoted);
  return object;
}

static napi_value argument_object(napi_env env, napi_callback_info info) {
  napi_value argument = NULL;
  size_t count = 1;
  napi_valuetype type = napi_undefined;
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok) return NULL;
  if (napi_typeof(env, argument, &type) != napi_ok) return NULL;
  if (type != napi_object) return throw_type(env, "the argument is not an object");
  return argument;
}

/* apply(request): what is in force for the calling thread, and how it came about. */
static napi_value apply(napi_env env, napi_callback_info info) {
  fd_request request;
  fd_report report;
  napi_value argument = argument_object(env, info);
  if (argument == NULL || !read_request(env, argument, &request)) return NULL;
  fd_thread_apply(&request, &report);
  napi_value object = NULL;
  napi_value state = state_object(env, &report.state);
  if (state == NULL || napi_create_object(env, &object) != napi_ok) return NULL;
  set(env, object, "state", state);
  set_how(env, object, "priority", &report.priority);
  set_how(env, object, "cpus", &report.cpus);
  set_how(env, object, "timerSlack", &report.timer_slack);
  set_text(env, object, "leash", report.leash);
  return object;
}

/* read(threadId): what is in force for a thread of this process; 0 is the calling thread. */
static napi_value read_thread(napi_env env, napi_callback_info info) {
  napi_value argument = NULL;
  size_t count = 1;
  double thread_id = 0;
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok) return NULL;
  if (!whole_number(env, argument, "threadId", 0, 4294967295.0, &thread_id)) return NULL;
  fd_state state;
  fd_thread_read((int64_t)thread_id, &state);
  return state_object(env, &state);
}

/* abandon(threadId): takes back what was prepared for a thread whose broker refused. */
static napi_value abandon(napi_env env, napi_callback_info info) {
  napi_value argument = NULL;
  size_t count = 1;
  double thread_id = 0;
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok) return NULL;
  if (whole_number(env, argument, "threadId", 1, 4294967295.0, &thread_id)) fd_thread_abandon((int64_t)thread_id);
  return NULL;
}

/* usage(target: Float64Array): fills in the calling thread's totals. Makes no object. */
static napi_value usage(napi_env env, napi_callback_info info) {
  napi_value argument = NULL;
  size_t count = 1;
  bool is_typed_array = false;
  napi_typedarray_type type;
  size_t length = 0;
  void *data = NULL;
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok) return NULL;
  if (napi_is_typedarray(env, argument, &is_typed_array) != napi_ok) return NULL;
  if (!is_typed_array ||
      napi_get_typedarray_info(env, argument, &type, &length, &data, NULL, NULL) != napi_ok ||
      type != napi_float64_array) {
    return throw_type(env, "the argument is not a Float64Array");
  }
  /* a detached array has length 0 */
  if (length < USAGE_VALUES || data == NULL) {
    napi_throw_range_error(env, NULL, "the array is too short, expected at least 7 elements");
    return NULL;
  }
  fd_usage totals;
  fd_thread_usage(&totals);
  double *target = data;
  target[0] = totals.user_us;
  target[1] = totals.system_us;
  target[2] = totals.voluntary_switches;
  target[3] = totals.involuntary_switches;
  target[4] = totals.minor_faults;
  target[5] = totals.major_faults;
  target[6] = fd_leash_pulls();
  return NULL;
}

/* lockMemory(bytes: Uint8Array): keeps them from being paged out. Of a buffer outside V8's heap: a SharedArrayBuffer. */
static napi_value lock_memory(napi_env env, napi_callback_info info) {
  napi_value argument = NULL;
  size_t count = 1;
  bool is_typed_array = false;
  napi_typedarray_type type;
  size_t length = 0;
  void *data = NULL;
  napi_value object = NULL;
  fd_how how = {"", ""};
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok) return NULL;
  if (napi_is_typedarray(env, argument, &is_typed_array) != napi_ok) return NULL;
  napi_value buffer = NULL;
  if (!is_typed_array || napi_get_typedarray_info(env, argument, &type, &length, &data, &buffer, NULL) != napi_ok ||
      type != napi_uint8_array) {
    return throw_type(env, "the argument is not a Uint8Array");
  }
  /* Node-API 8 does not know shared buffers: it says of them that they are no ArrayBuffer */
  bool is_private = true;
  if (napi_is_arraybuffer(env, buffer, &is_private) != napi_ok || is_private) {
    return throw_type(env, "the argument is not on a SharedArrayBuffer");
  }
  bool locked = false;
  if (length == 0 || data == NULL) fd_say(how.reason, "there are no bytes");
  else locked = fd_memory_lock(data, length, &how);
  if (napi_create_object(env, &object) != napi_ok) return NULL;
  set_boolean(env, object, "locked", locked);
  set_text(env, object, "mechanism", how.mechanism);
  set_text(env, object, "reason", how.reason);
  return object;
}

/* Runs on the thread whose JavaScript ends. */
static void on_environment_end(void *unused) {
  (void)unused;
  fd_thread_end();
}

NAPI_MODULE_INIT() {
  fd_process_begin();
  const napi_property_descriptor functions[] = {
      {"apply", NULL, apply, NULL, NULL, NULL, napi_enumerable, NULL},
      {"abandon", NULL, abandon, NULL, NULL, NULL, napi_enumerable, NULL},
      {"read", NULL, read_thread, NULL, NULL, NULL, napi_enumerable, NULL},
      {"lockMemory", NULL, lock_memory, NULL, NULL, NULL, napi_enumerable, NULL},
      {"usage", NULL, usage, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  if (napi_define_properties(env, exports, sizeof functions / sizeof functions[0], functions) != napi_ok) return NULL;
  /* an addon can be loaded twice by one thread (a cleared require.cache): Node aborts on two hooks that are alike */
  if (napi_add_env_cleanup_hook(env, on_environment_end, env) != napi_ok) return NULL;
  set_text(env, exports, "platform", fd_platform);
  return exports;
}
