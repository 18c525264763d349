import type { Page } from 'playwright-core';

/**
 * Text that stands out too little from what is behind it, by WCAG 2.2 (1.4.3, level AA): 4.5 to 1, or 3 to 1 where it is
 * large. Grounds are plain colours, disabled controls are left out, as the standard does.
 */
export function contrastProblems(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!;
    const rgba = (colour: string): number[] => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const luminance = ([r, g, b]: number[]): number => {
      const [x, y, z] = [r, g, b].map((byte) => {
        const share = byte! / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * x! + 0.7152 * y! + 0.0722 * z!;
    };
    const ground = (element: Element): number[] => {
      for (let at: Element | null = element; at !== null; at = at.parentElement) {
        const colour = rgba(getComputedStyle(at).backgroundColor);
        if (colour[3] === 255) return colour;
      }
      return rgba('white');
    };
    const problems: string[] = [];
    for (const element of Array.from(document.querySelectorAll('body *'))) {
      const words = Array.from(element.childNodes).filter(
        (node) => node.nodeType === 3 && node.textContent!.trim() !== '',
      );
      const box = element.getBoundingClientRect();
      const style = getComputedStyle(element);
      if (words.length === 0 || box.width === 0 || style.visibility === 'hidden') continue;
      if (element.closest('button:disabled, .curtain, .unseen, .skip, option') !== null) continue;
      const a = luminance(rgba(style.color));
      const b = luminance(ground(element));
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      const size = Number.parseFloat(style.fontSize);
      const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      if (ratio < (isLarge ? 3 : 4.5)) {
        problems.push(
          `${element.tagName} ${element.className} "${words[0]!.textContent!.trim()}": ${ratio.toFixed(2)}`,
        );
      }
    }
    return problems;
  });
}

/** What a screen reader could not name or would be misled by: controls, pictures, headings, regions, references, ids. */
export function namingProblems(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const problems: string[] = [];
    const textOf = (ids: string | null) =>
      (ids ?? '')
        .split(' ')
        .map((id) => document.getElementById(id)?.textContent ?? '')
        .join('')
        .trim();
    const isNamed = (element: Element) => {
      const labels = element instanceof HTMLInputElement ? Array.from(element.labels ?? []) : [];
      const own = element instanceof HTMLButtonElement ? element.textContent! : '';
      const label = element.getAttribute('aria-label') ?? '';
      return [textOf(element.getAttribute('aria-labelledby')), own, label, ...labels.map((l) => l.textContent!)].some(
        (name) => name.trim() !== '',
      );
    };
    for (const element of Array.from(
      document.querySelectorAll('button, input, [role="img"], [role="application"], section'),
    )) {
      if (!isNamed(element)) problems.push(`no name: ${element.outerHTML.slice(0, 80)}`);
    }
    for (const image of Array.from(document.querySelectorAll('img'))) {
      if (!image.hasAttribute('alt')) problems.push(`no alt: ${image.outerHTML.slice(0, 80)}`);
    }
    for (const svg of Array.from(document.querySelectorAll('svg'))) {
      if (svg.getAttribute('aria-hidden') !== 'true') problems.push('a shape that is read out');
    }
    const ids = Array.from(document.querySelectorAll('[id]')).map(({ id }) => id);
    for (const id of new Set(ids)) if (ids.filter((other) => other === id).length > 1) problems.push(`twice: ${id}`);
    for (const attribute of ['aria-describedby', 'aria-labelledby', 'for']) {
      for (const element of Array.from(document.querySelectorAll(`[${attribute}]`))) {
        for (const id of element.getAttribute(attribute)!.split(' ')) {
          if (!ids.includes(id)) problems.push(`${attribute} names ${id}, which is not there`);
        }
      }
    }
    const levels = Array.from(document.querySelectorAll('h1, h2, h3, h4')).map(({ tagName }) => Number(tagName[1]));
    if (levels.filter((level) => level === 1).length !== 1) problems.push('not one h1');
    if (levels.some((level, n) => n > 0 && level > levels[n - 1]! + 1)) problems.push('a heading level is left out');
    if (document.documentElement.lang === '' || document.title === '') problems.push('no language or title');
    if (document.querySelectorAll('main').length !== 1) problems.push('not one main');
    for (const cell of Array.from(document.querySelectorAll('th')))
      if (cell.scope === '') problems.push('a th without a scope');
    if (document.querySelector('[aria-live="polite"]') === null) problems.push('nothing announces');
    return problems;
  });
}
