// CommonJS: the build puts the package into this file, so that a page can load it as it is.
import RingBuffer from 'ringbufferjs';

export { RingBuffer };
