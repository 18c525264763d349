/** What both sides of the bare ring share. A slot: result, function, two numbers, 64 bytes. */
export const SLOTS = 256;
export const SLOT_BYTES = 96;
export const CONTROL_WORDS = 64;
export const SUBMITTED = 0;
export const DONE = 32;
export const NAMES = ['echo', 'empty', 'work', 'workAll', 'collectionsStart', 'collectionsStop'];
