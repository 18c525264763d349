import type { ServedReading, TelemetryClient } from '../../report/telemetry-client.js';
import { type TopModel, TopModels } from './model.js';

/**
 * Reads the app at each interval, and gives a model for each. One reading at a time: an app that answers slowly is asked
 * less often.
 */
export class TopWatch {
  readonly client: TelemetryClient;
  private models: TopModels | null;

  constructor(client: TelemetryClient) {
    this.client = client;
    this.models = null;
  }

  /** Begins the first interval. */
  async begin(): Promise<void> {
    const first = await this.client.telemetry();
    await this.client.window();
    this.models = new TopModels(this.client.process, first);
  }

  /** Ends an interval and begins the next. */
  async next(): Promise<TopModel> {
    const [window, total]: [ServedReading, ServedReading] = await Promise.all([
      this.client.window(),
      this.client.telemetry({ records: false }),
    ]);
    return this.models!.model(window, total.telemetry);
  }
}
