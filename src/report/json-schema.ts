/**
 * Checks a value against the part of JSON Schema 2020-12 that our published schema uses, so that the schema itself is
 * what files are checked by. A keyword that is not known here is an error of the schema, not silently passed.
 */

/** A schema, with the keywords that are understood here. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly $id?: string;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly prefixItems?: readonly JsonSchema[];
  readonly items?: JsonSchema | false;
  readonly minItems?: number;
}

/** What is wrong, and where: `lanes[2].tasks[0].misses`, or `` for the value itself. */
export interface SchemaFault {
  readonly path: string;
  readonly expected: string;
  readonly value: unknown;
}

/** The first fault of `value`, or null. `root` holds the `$defs` that `$ref` names. */
export function findFault(
  value: unknown,
  schema: JsonSchema,
  root: JsonSchema = schema,
  path = '',
): SchemaFault | null {
  if (schema.$ref !== undefined) return findFault(value, definition(schema.$ref, root), root, path);
  const fault = (expected: string): SchemaFault => ({ path, expected, value });
  if (schema.anyOf !== undefined) {
    // the fault of the form that is meant: what is an object is not meant to be null
    const faults = schema.anyOf.map((form) => findFault(value, form, root, path));
    return faults.includes(null) ? null : (faults.find((found) => found!.path !== path) ?? faults.at(-1) ?? null);
  }
  if ('const' in schema && value !== schema.const) return fault(JSON.stringify(schema.const));
  if (schema.enum !== undefined && !schema.enum.includes(value)) return fault(`one of ${schema.enum.join(', ')}`);
  const { type } = schema;
  if (type !== undefined) {
    const types = typeof type === 'string' ? [type] : type;
    if (!types.some((name) => isOfType(value, name))) return fault(types.map(inWords).join(' or '));
  }
  if (typeof value === 'number') return numberFault(value, schema, fault);
  if (Array.isArray(value)) return arrayFault(value, schema, root, path);
  if (isObject(value)) return objectFault(value, schema, root, path);
  return null;
}

function numberFault(value: number, schema: JsonSchema, fault: (expected: string) => SchemaFault): SchemaFault | null {
  const { minimum, maximum, exclusiveMinimum } = schema;
  if (minimum !== undefined && value < minimum) return fault(`at least ${minimum}`);
  if (maximum !== undefined && value > maximum) return fault(`at most ${maximum}`);
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) return fault(`above ${exclusiveMinimum}`);
  return null;
}

function arrayFault(value: readonly unknown[], schema: JsonSchema, root: JsonSchema, path: string): SchemaFault | null {
  const { minItems = 0, prefixItems = [], items } = schema;
  const isTooLong = items === false && value.length > prefixItems.length;
  if (value.length < minItems || isTooLong) return { path, expected: `an array of ${minItems}`, value };
  for (let i = 0; i < value.length; i++) {
    const itemSchema = prefixItems[i] ?? items;
    const found = itemSchema ? findFault(value[i], itemSchema, root, `${path}[${i}]`) : null;
    if (found !== null) return found;
  }
  return null;
}

function objectFault(
  value: Readonly<Record<string, unknown>>,
  { required = [], properties = {} }: JsonSchema,
  root: JsonSchema,
  path: string,
): SchemaFault | null {
  const join = (key: string): string => (path === '' ? key : `${path}.${key}`);
  for (const key of required) {
    if (!Object.hasOwn(value, key))
      return { path: join(key), expected: inWords(typeNameOf(properties[key], root)), value: undefined };
  }
  for (const [key, schema] of Object.entries(properties)) {
    const found = Object.hasOwn(value, key) ? findFault(value[key], schema, root, join(key)) : null;
    if (found !== null) return found;
  }
  return null;
}

function definition(ref: string, root: JsonSchema): JsonSchema {
  const found = root.$defs?.[ref.replace(/^#\/\$defs\//, '')];
  if (found === undefined) throw new TypeError(`the schema has no ${ref}`);
  return found;
}

function typeNameOf(schema: JsonSchema | undefined, root: JsonSchema): string {
  if (schema?.$ref !== undefined) return typeNameOf(definition(schema.$ref, root), root);
  const type = schema?.type;
  return (typeof type === 'string' ? type : type?.[0]) ?? 'value';
}

function inWords(type: string): string {
  return type === 'null'
    ? 'null'
    : type === 'integer'
      ? 'a whole number'
      : `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return Number.isFinite(value);
    default:
      return typeof value === type;
  }
}
