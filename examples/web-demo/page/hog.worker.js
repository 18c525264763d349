// Keeps a CPU busy, to be in the way of others.
self.onmessage = ({ data: ms }) => {
  for (const end = performance.now() + ms; performance.now() < end; );
  self.postMessage('done');
};
