/*
 * Loads the addon where there is no Node: a host of Node-API just large enough for native/binding.c. Every symbol must
 * resolve, then main thread and a second one call apply() and read(). Prints the answers as JSON, one a line.
 * Argument: path of the addon.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAPI_VERSION 8
#include <node_api.h>

/* An object or array has `items` of `count`; an item of an object has a `key`. Values live until the end. */
struct napi_value__ {
  napi_valuetype type;
  bool is_array;
  double number;
  char text[256];
  char keys[16][24];
  napi_value items[64];
  uint32_t count;
  napi_callback function;
};

/* What napi_callback_info is here: the one argument. */
struct napi_callback_info__ {
  napi_value argument;
};

static napi_value make(napi_valuetype type) {
  napi_value value = calloc(1, sizeof *value);
  if (value == NULL) abort();
  value->type = type;
  return value;
}

napi_status napi_create_object(napi_env env, napi_value *result) { (void)env; *result = make(napi_object); return napi_ok; }
napi_status napi_get_null(napi_env env, napi_value *result) { (void)env; *result = make(napi_null); return napi_ok; }

napi_status napi_create_array(napi_env env, napi_value *result) {
  napi_create_object(env, result);
  (*result)->is_array = true;
  return napi_ok;
}

napi_status napi_create_double(napi_env env, double number, napi_value *result) {
  (void)env;
  *result = make(napi_number);
  (*result)->number = number;
  return napi_ok;
}

napi_status napi_create_uint32(napi_env env, uint32_t number, napi_value *result) {
  return napi_create_double(env, number, result);
}

napi_status napi_get_boolean(napi_env env, bool flag, napi_value *result) {
  napi_create_double(env, flag, result);
  (*result)->type = napi_boolean;
  return napi_ok;
}

napi_status napi_create_string_utf8(napi_env env, const char *text, size_t length, napi_value *result) {
  (void)env;
  if (length != NAPI_AUTO_LENGTH) abort();
  *result = make(napi_string);
  snprintf((*result)->text, sizeof (*result)->text, "%s", text);
  return napi_ok;
}

napi_status napi_set_named_property(napi_env env, napi_value object, const char *name, napi_value value) {
  (void)env;
  if (object->count == 16) abort();
  snprintf(object->keys[object->count], sizeof object->keys[0], "%s", name);
  object->items[object->count++] = value;
  return napi_ok;
}

napi_status napi_get_named_property(napi_env env, napi_value object, const char *name, napi_value *result) {
  (void)env;
  *result = make(napi_undefined);
  for (uint32_t i = 0; i < object->count; i++) {
    if (strcmp(object->keys[i], name) == 0) *result = object->items[i];
  }
  return napi_ok;
}

napi_status napi_set_element(napi_env env, napi_value array, uint32_t index, napi_value value) {
  (void)env;
  /* more CPUs than this are not shown */
  if (index < 64) array->items[index] = value;
  if (index < 64) array->count = index + 1;
  return napi_ok;
}

napi_status napi_get_element(napi_env env, napi_value array, uint32_t index, napi_value *result) {
  (void)env;
  *result = array->items[index];
  return napi_ok;
}

napi_status napi_typeof(napi_env env, napi_value value, napi_valuetype *result) {
  (void)env;
  *result = value->type;
  return napi_ok;
}

napi_status napi_is_array(napi_env env, napi_value value, bool *result) {
  (void)env;
  *result = value->is_array;
  return napi_ok;
}

napi_status napi_get_array_length(napi_env env, napi_value value, uint32_t *result) {
  (void)env;
  *result = value->count;
  return napi_ok;
}

napi_status napi_get_value_double(napi_env env, napi_value value, double *result) {
  (void)env;
  *result = value->number;
  return value->type == napi_number ? napi_ok : napi_number_expected;
}

napi_status napi_get_value_bool(napi_env env, napi_value value, bool *result) {
  (void)env;
  *result = value->number != 0;
  return value->type == napi_boolean ? napi_ok : napi_boolean_expected;
}

napi_status napi_get_value_string_utf8(napi_env env, napi_value value, char *buffer, size_t bytes, size_t *result) {
  (void)env;
  if (result != NULL) abort();
  snprintf(buffer, bytes, "%s", value->text);
  return value->type == napi_string ? napi_ok : napi_string_expected;
}

napi_status napi_get_cb_info(napi_env env, napi_callback_info info, size_t *count, napi_value *arguments,
                             napi_value *self, void **data) {
  (void)env;
  if (*count != 1 || self != NULL || data != NULL) abort();
  arguments[0] = info->argument;
  return napi_ok;
}

napi_status napi_define_properties(napi_env env, napi_value object, size_t count,
                                   const napi_property_descriptor *properties) {
  for (size_t i = 0; i < count; i++) {
    napi_value function = make(napi_function);
    function->function = properties[i].method;
    napi_set_named_property(env, object, properties[i].utf8name, function);
  }
  return napi_ok;
}

static napi_status throw_error(const char *message) {
  printf("thrown: %s\n", message);
  exit(1);
}

napi_status napi_throw_type_error(napi_env env, const char *code, const char *message) {
  (void)env, (void)code;
  return throw_error(message);
}

napi_status napi_throw_range_error(napi_env env, const char *code, const char *message) {
  (void)env, (void)code;
  return throw_error(message);
}

/* No typed array is made here. */
napi_status napi_is_typedarray(napi_env env, napi_value value, bool *result) {
  (void)env, (void)value;
  *result = false;
  return napi_ok;
}

napi_status napi_get_typedarray_info(napi_env env, napi_value array, napi_typedarray_type *type, size_t *length,
                                     void **data, napi_value *buffer, size_t *offset) {
  (void)env, (void)array, (void)type, (void)length, (void)data, (void)buffer, (void)offset;
  return napi_invalid_arg;
}

napi_status napi_is_arraybuffer(napi_env env, napi_value value, bool *result) {
  return napi_is_typedarray(env, value, result);
}

static void (*at_end)(void *);

napi_status napi_add_env_cleanup_hook(node_api_nogc_env env, void (*hook)(void *), void *data) {
  (void)env, (void)data;
  at_end = hook;
  return napi_ok;
}

static void print(napi_value value) {
  if (value->type == napi_number) printf("%.0f", value->number);
  else if (value->type == napi_boolean) printf(value->number != 0 ? "true" : "false");
  else if (value->type == napi_string) printf("\"%s\"", value->text);
  else if (value->type != napi_object) printf("null");
  else {
    putchar(value->is_array ? '[' : '{');
    for (uint32_t i = 0; i < value->count; i++) {
      if (i > 0) putchar(',');
      if (!value->is_array) printf("\"%s\":", value->keys[i]);
      print(value->items[i]);
    }
    putchar(value->is_array ? ']' : '}');
  }
}

static void call(napi_value exports, const char *name, napi_value argument) {
  struct napi_callback_info__ info = {argument};
  napi_value function;
  napi_get_named_property(NULL, exports, name, &function);
  if (function->type != napi_function) exit(2);
  print(function->function(NULL, &info));
  putchar('\n');
}

static void put_number(napi_value object, const char *name, double number) {
  napi_value value;
  napi_create_double(NULL, number, &value);
  napi_set_named_property(NULL, object, name, value);
}

/* Asks for what everybody may have. */
static void *use(void *exports) {
  napi_value request, value, zero;
  napi_create_object(NULL, &request);
  napi_create_string_utf8(NULL, "loaded", NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(NULL, request, "name", value);
  napi_get_null(NULL, &value);
  napi_set_named_property(NULL, request, "cpus", value);
  put_number(request, "priority", 0);
  put_number(request, "periodUs", 0);
  put_number(request, "budgetUs", 0);
  put_number(request, "realtimePriority", 1);
  put_number(request, "timerSlackNs", 2000);
  napi_get_boolean(NULL, false, &value);
  napi_set_named_property(NULL, request, "brokered", value);
  call(exports, "apply", request);
  napi_create_double(NULL, 0, &zero);
  call(exports, "read", zero);
  return NULL;
}

int main(int count, char **arguments) {
  if (count != 2) return 2;
  void *library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    printf("%s\n", dlerror());
    return 1;
  }
  napi_value (*begin)(napi_env, napi_value) = (napi_value(*)(napi_env, napi_value))dlsym(library, "napi_register_module_v1");
  if (begin == NULL) return 1;
  napi_value exports;
  napi_create_object(NULL, &exports);
  if (begin(NULL, exports) != exports) return 1;
  use(exports);
  pthread_t thread;
  if (pthread_create(&thread, NULL, use, exports) != 0) return 1;
  pthread_join(thread, NULL);
  at_end(NULL);
  return 0;
}
