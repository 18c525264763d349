import { echo, empty, work } from './work.js';

const functions = { echo, empty, work };

self.onmessage = ({ data: [name, argument] }) => self.postMessage(functions[name](argument));
