// Runs in the window; the preload script gives it `frameTelemetry`.
const output = document.getElementById('telemetry');
window.frameTelemetry.onUpdate(({ frames, droppedTicks, misses, responseP99Us, lastMiss }) => {
  output.textContent = `${frames} frames, ${droppedTicks} dropped, ${misses} jobs missed, response p99 ${responseP99Us} µs. ${lastMiss ?? ''}`;
});
