/** A place in a module where the URL of a task module is made: `new URL('./x.tasks.ts', import.meta.url)`. */
export interface TaskUrl {
  /** Of the whole `new` expression, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  /** As written. */
  readonly specifier: string;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

const SCRIPT = /\.[cm]?[jt]sx?(\?|$)/;

/**
 * Finds the URLs of task modules in a parsed module (ESTree): those that are the value of a property `tasks`, and those
 * whose path `include` matches. In the order of the text.
 */
export function findTaskUrls(program: unknown, include: RegExp): TaskUrl[] {
  const found: TaskUrl[] = [];
  const visit = (node: Node, isTasks: boolean): void => {
    if (node.type === 'NewExpression') {
      const specifier = moduleUrlOf(node);
      if (specifier !== null && ((isTasks && SCRIPT.test(specifier)) || matches(include, specifier))) {
        found.push({ start: node.start, end: node.end, specifier });
      }
    }
    for (const key in node) {
      const value = node[key];
      const valueOfTasks = node.type === 'Property' && key === 'value' && nameOf(node['key']) === 'tasks';
      if (Array.isArray(value)) {
        for (const item of value) if (isNode(item)) visit(item, false);
      } else if (isNode(value)) visit(value, valueOfTasks);
    }
  };
  if (isNode(program)) visit(program, false);
  return found.sort((a, b) => a.start - b.start);
}

/** The path of `new URL('path', import.meta.url)`; null for anything else. */
function moduleUrlOf(node: Node): string | null {
  const { callee, arguments: given } = node;
  if (!isNode(callee) || callee.type !== 'Identifier' || callee['name'] !== 'URL') return null;
  if (!Array.isArray(given) || given.length !== 2) return null;
  const [path, base] = given as unknown[];
  if (!isNode(base) || base.type !== 'MemberExpression' || nameOf(base['property']) !== 'url') return null;
  const meta = base['object'];
  if (!isNode(meta) || meta.type !== 'MetaProperty' || nameOf(meta['property']) !== 'meta') return null;
  const specifier = textOf(path);
  return specifier !== null && /^\.{0,2}\//.test(specifier) ? specifier : null;
}

function textOf(node: unknown): string | null {
  if (!isNode(node)) return null;
  if (node.type === 'Literal' && typeof node['value'] === 'string') return node['value'];
  const quasis = node['quasis'];
  if (node.type !== 'TemplateLiteral' || !Array.isArray(quasis) || quasis.length !== 1) return null;
  return (quasis[0] as { value: { cooked: string } }).value.cooked;
}

function nameOf(node: unknown): string | null {
  if (!isNode(node)) return null;
  return node.type === 'Identifier' ? (node['name'] as string) : textOf(node);
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Partial<Node>).type === 'string';
}

function matches(pattern: RegExp, text: string): boolean {
  pattern.lastIndex = 0;
  return pattern.test(text);
}
