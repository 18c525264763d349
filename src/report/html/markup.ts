/** Text that is HTML already. Made by {@link html} only: what is not, is escaped. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Content = Markup | string | number | null | readonly Content[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
/** Control characters but for tab and line ends, and the bidirectional controls. */
const NOT_FOR_HTML = /(?![\t\n\r])[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Template tag: values are escaped for text and for quoted attributes, unless they are Markup; null is nothing, lists
 * are joined. Names of lanes and tasks and error texts come from outside: this is the only way into the page.
 */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Markup {
  let text = parts[0]!;
  for (let i = 0; i < values.length; i++) text += contentText(values[i]!) + parts[i + 1]!;
  return new Markup(text);
}

/** `&`, `<`, `>` and quotes as entities; control characters and bidirectional overrides as U+FFFD. */
export function escapeHtml(text: string): string {
  return text.replace(NOT_FOR_HTML, '\ufffd').replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/**
 * JSON that may stand in a script element: no `<`, so neither `</script>` nor `<!--` can be in it; bidirectional
 * overrides as U+FFFD.
 */
export function jsonForScript(value: unknown): Markup {
  return new Markup(JSON.stringify(value).replace(NOT_FOR_HTML, '\ufffd').replaceAll('<', '\\u003c'));
}

/** Text of ours, put in as it is: style, script and path data. Never for what comes from outside. */
export function trusted(text: string): Markup {
  return new Markup(text);
}

function contentText(content: Content): string {
  if (content === null) return '';
  if (content instanceof Markup) return content.text;
  if (typeof content === 'string') return escapeHtml(content);
  return typeof content === 'number' ? `${content}` : content.map(contentText).join('');
}
