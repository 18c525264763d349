/** The part of the page's script that reads out the frame plots. Columns of a row: `FrameRow` in frame-plot.ts. */
export const FRAME_PLOT_SCRIPT = `
const MAX_ZOOM = 64;
/** The reverse of packRows. */
function unpackRows(packed) {
  const rows = [];
  for (const row of packed) {
    if (row.length > 4) {
      rows.push(row);
      continue;
    }
    const last = rows[rows.length - 1];
    const distance = rows.length < 2 ? 0 : last[1] - rows[rows.length - 2][1];
    const [change, called, submitting, finished] = row;
    rows.push([last[0] + last[8], last[1] + distance + change, called, called + submitting, finished, last[5], last[6], 0, 1, -1, -1]);
  }
  return rows;
}
function setupFrames(figure) {
  const rows = unpackRows(data.frames[figure.dataset.frames]);
  const pan = figure.querySelector('.pan');
  const output = figure.querySelector('output');
  // where each row begins, in ticks: one row may stand for several dropped ones
  const starts = [];
  let width = 0;
  for (const row of rows) {
    starts.push(width);
    width += row[8];
  }
  const isMiss = (row) => row[3] === null || row[7] > 0 || (row[4] ?? row[3]) > row[5];
  let at = -1;
  let zoom = 1;
  function readOut(index, bringIntoView) {
    at = clamp(index, 0, rows.length - 1);
    const share = (starts[at] + rows[at][8] / 2) / width;
    moveCursor(figure, 100 * share);
    if (bringIntoView) {
      const x = share * pan.scrollWidth;
      if (x < pan.scrollLeft + 20 || x > pan.scrollLeft + pan.clientWidth - 20) pan.scrollLeft = x - pan.clientWidth / 2;
    }
    const [number, tickAtUs, called, submitted, finished, deadline, jobs, missed, ticks, cause, miss] = rows[at];
    const when = ', ' + (tickAtUs / 1e6).toFixed(3) + ' s';
    const why = cause < 0 ? '' : '. Cause: ' + data.causes[cause] + (miss < 0 ? '' : ', ' + data.misses[miss] + ' (Enter opens it)');
    if (submitted === null) {
      const many = ticks > 1 ? ' to ' + (number + ticks - 1) : '';
      say(output, 'Frame ' + number + many + when + ': dropped', why || '. The main thread did not serve the tick.');
      return;
    }
    const us = finished ?? submitted;
    const margin = us > deadline ? duration(us - deadline) + ' late' : duration(deadline - us) + ' left';
    const rest = ', deadline ' + duration(deadline) + ', ' + margin + '. Called ' + duration(called) + ' after its tick, submitted by ' +
      duration(submitted) + '. ' + jobs + ' jobs, ' + missed + ' missed' + why;
    say(output, 'Frame ' + number + when + ': ' + duration(us), rest);
  }
  function indexAt(share) {
    // many frames share a pixel: the worst of them is meant
    const reach = (width / pan.scrollWidth) * 1.5;
    const slot = share * width;
    let best = -1;
    let low = 0;
    let high = rows.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= slot) low = middle;
      else high = middle - 1;
    }
    for (let i = low; i >= 0 && starts[i] + rows[i][8] >= slot - reach; i--) best = worse(best, i);
    for (let i = low + 1; i < rows.length && starts[i] <= slot + reach; i++) best = worse(best, i);
    return best < 0 ? low : best;
  }
  const badness = (row) => (row[3] === null ? Infinity : (row[4] ?? row[3]) + (row[7] > 0 ? 1e9 : 0));
  const worse = (a, b) => (a < 0 || badness(rows[b]) > badness(rows[a]) ? b : a);
  function nextMiss(direction) {
    for (let i = at < 0 && direction < 0 ? rows.length - 1 : at + direction; i >= 0 && i < rows.length; i += direction) {
      if (isMiss(rows[i])) return readOut(i, true);
    }
  }
  function setZoom(factor) {
    const before = at < 0 ? (pan.scrollLeft + pan.clientWidth / 2) / pan.scrollWidth : (starts[at] + 0.5) / width;
    zoom = clamp(zoom * factor, 1, Math.max(1, Math.min(MAX_ZOOM, width / 8)));
    pan.style.setProperty('--zoom', zoom);
    pan.scrollLeft = before * pan.scrollWidth - pan.clientWidth / 2;
    for (const button of all('[data-zoom]', figure)) button.disabled = button.dataset.zoom < 1 && zoom === 1;
  }
  pan.addEventListener('pointermove', (event) => readOut(indexAt(shareAt(figure, event)), false));
  pan.addEventListener('pointerdown', (event) => readOut(indexAt(shareAt(figure, event)), false));
  pan.addEventListener('dblclick', () => at >= 0 && rows[at][10] >= 0 && openMiss(rows[at][10]));
  pan.addEventListener('keydown', (event) => {
    const key = event.key;
    if (key === 'Enter' && at >= 0 && rows[at][10] >= 0) openMiss(rows[at][10]);
    else if (key === 'PageDown') nextMiss(1);
    else if (key === 'PageUp') nextMiss(-1);
    else if (key === 'ArrowRight') readOut(at + 1, true);
    else if (key === 'ArrowLeft') readOut(at < 0 ? 0 : at - 1, true);
    else if (key === 'Home') readOut(0, true);
    else if (key === 'End') readOut(rows.length - 1, true);
    else if (key === '+') setZoom(2);
    else if (key === '-') setZoom(0.5);
    else return;
    event.preventDefault();
  });
  for (const button of all('[data-zoom]', figure)) button.addEventListener('click', () => setZoom(Number(button.dataset.zoom)));
  for (const button of all('[data-step]', figure)) button.addEventListener('click', () => nextMiss(Number(button.dataset.step)));
  setZoom(1);
}
`;
