export class Streams {
  faults: string[];
  add(lane: string): { stream: SharedArrayBuffer };
  read(): void;
}
