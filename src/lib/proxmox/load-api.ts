/** Endpoints about load: statistics, metrics, what a node is made of. Must not decide anything. */
import { packageVersion } from '../pve-values/version.ts';
import { isRecord } from './answer.ts';
import type { BalanceApi, Metric, RrdPoint } from './balance-types.ts';
import { path } from './form.ts';
import { guestPath } from './guest-path.ts';
import type { Requests } from './http.ts';
import { compact } from '../compact.ts';
import { Row, rowOf, rowsOf, unexpected } from './rows.ts';

type LoadApi = Pick<BalanceApi, 'nodeHistory' | 'guestHistory' | 'nodeStatus' | 'metricsSince'>;

export function loadApi(http: Requests, hasMetrics: (signal?: AbortSignal) => Promise<boolean>): LoadApi {
  return {
    nodeHistory: async (node, span, signal) =>
      rowsOf(await http.get(path`/nodes/${node}/rrddata`, { timeframe: span, cf: 'AVERAGE' }, signal)).map(
        nodePoint,
      ),
    guestHistory: async (guest, span, signal) =>
      rowsOf(await http.get(`${guestPath(guest)}/rrddata`, { timeframe: span, cf: 'AVERAGE' }, signal)).map(
        guestPoint,
      ),
    nodeStatus: async (node, signal) => {
      const row = rowOf(await http.get(path`/nodes/${node}/status`, {}, signal));
      const cpu = row.get('cpuinfo');
      const said = (key: string): string | undefined => {
        const value = isRecord(cpu) && Object.hasOwn(cpu, key) ? cpu[key] : undefined;
        return typeof value === 'string' && value !== '' ? value : undefined;
      };
      return compact({
        cpuModel: said('model'),
        cpuFlags: said('flags')?.split(/\s+/),
        // The answer of a Perl match: 1, or an empty text.
        hasKvm: isRecord(cpu) && Object.hasOwn(cpu, 'hvm') ? Number(cpu['hvm']) === 1 : undefined,
        pveVersion: packageVersion(row.maybeText('pveversion')),
      });
    },
    metricsSince: async (since, signal) => {
      if (!(await hasMetrics(signal))) return undefined;
      const params = { history: true, 'start-time': since };
      const answer = await http.get('/cluster/metrics/export', params, signal);
      const data = isRecord(answer.data) ? answer.data['data'] : undefined;
      if (!Array.isArray(data)) throw unexpected(answer, 'data.data is not a list');
      return data.flatMap((value, index) => metricOf(new Row(answer, value, `data.data[${index}]`)));
    },
  };
}

/** Text statistics exist too (a metric without a number); nobody here wants them. */
function metricOf(row: Row): Metric[] {
  const value = row.get('value');
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) return [];
  return [{ id: row.text('id'), metric: row.text('metric'), value: number }];
}

/** Percent, as the kernel gives it. */
function pressure(row: Row, key: string): number | undefined {
  const percent = row.measured(key);
  return percent === undefined ? undefined : percent / 100;
}

function nodePoint(row: Row): RrdPoint {
  return compact({
    time: row.number('time'),
    cpu: row.measured('cpu'),
    memory: row.measured('memused'),
    arc: row.measured('arcsize'),
    loadavg: row.measured('loadavg'),
    cpuPressure: pressure(row, 'pressurecpusome'),
    memoryPressure: pressure(row, 'pressurememorysome'),
  });
}

function guestPoint(row: Row): RrdPoint {
  return compact({
    time: row.number('time'),
    cpu: row.measured('cpu'),
    memory: row.measured('memhost') ?? row.measured('mem'),
    network: traffic(row),
  });
}

function traffic(row: Row): number | undefined {
  const [into, out] = [row.measured('netin'), row.measured('netout')];
  return into === undefined || out === undefined ? undefined : into + out;
}
