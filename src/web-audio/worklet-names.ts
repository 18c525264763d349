/** Names of the processors. The number is raised with what the page and its worklet say to each other. */
export const PLAYBACK_PROCESSOR = 'frame-deadline-playback-1';
export const CAPTURE_PROCESSOR = 'frame-deadline-capture-1';
/** The one message of a processor: its last block is done. */
export const ENDED = 'ended';
