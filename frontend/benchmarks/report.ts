/** Figures in one table, with the load under which they were taken. */
import { cpus, loadavg } from 'node:os';

export interface Figure {
  name: string;
  value: number;
  unit: string;
  /** The most that is wanted, or the least where `isLeast`; undefined: only told. */
  goal?: number;
  isLeast?: boolean;
}

export class Report {
  readonly figures: Figure[] = [];

  add(name: string, value: number, unit: string, goal?: number, isLeast = false): void {
    this.figures.push({ name, value, unit, isLeast, ...(goal === undefined ? {} : { goal }) });
  }

  value(name: string): number | undefined {
    return this.figures.find((figure) => figure.name === name)?.value;
  }

  print(title: string): void {
    const load = loadavg()[0]?.toFixed(1) ?? '?';
    console.log(`\n${title} (${cpus().length} processors, load ${load})`);
    for (const figure of this.figures) console.log(line(figure));
  }
}

function line({ name, value, unit, goal, isLeast }: Figure): string {
  const start = `${name.padEnd(44)}${value.toFixed(value < 100 ? 2 : 0).padStart(9)} ${unit.padEnd(4)}`;
  if (goal === undefined) return start;
  const isMet = isLeast ? value >= goal : value <= goal;
  return `${start} goal ${isLeast ? '>=' : '<='} ${goal}  ${isMet ? 'met' : 'MISSED'}`;
}
