// Composes the music, so that the page does not stand still meanwhile. The samples are shared where memory can be.
import { generateMusic } from '../../../dist/cli/demo/audio/music.js';

self.onmessage = ({ data: seconds }) => self.postMessage(generateMusic(seconds).data);
