/**
 * `.hlog`: the distributions of each interval as an HdrHistogram log in nanoseconds, which the standard HdrHistogram
 * tools of any language read, plot and merge; and reading such a file. Loads hdr-histogram-js (about 40 ms).
 */
export { type Hlog, type HlogInterval, hlogTotals, parseHlog } from './hlog-reader.js';
export { type HlogTag, hlogTag, parseHlogTag } from './hlog-tags.js';
export { type HlogDescription, HlogWriter, hlogText } from './hlog-writer.js';
