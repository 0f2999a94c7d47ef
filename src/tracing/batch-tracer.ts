import { randomBytes } from 'node:crypto';
import { type HrTime, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace';
import { redactText } from '../redaction.ts';
import { attributesOf, type FinishedStep, isTraced, rootSpanIdOf, type TracedBatch, traceIdOf } from './batch-spans.ts';

/** Spans that wait to be exported; more are not kept. */
const MAX_WAITING = 4_096;
const EXPORT_EVERY_MS = 2_000;
const EXPORT_TIMEOUT_MS = 10_000;

/** Writes the steps of batches as spans. It never throws and never waits. */
export interface BatchTracer {
  finished(batch: TracedBatch, step: FinishedStep): void;
  /** Exports what waits, for ten seconds at most. */
  close(): Promise<void>;
}

export interface BatchTracerParts {
  readonly exporter: SpanExporter;
  /** Of so many batches one is traced. */
  readonly oneIn: number;
  /** The relay's domain. */
  readonly relay: string;
  readonly version: string;
  readonly now: () => number;
}

export function createBatchTracer({ exporter, oneIn, relay, version, now }: BatchTracerParts): BatchTracer {
  const processor = new BatchSpanProcessor({
    exporter,
    maxQueueSize: MAX_WAITING,
    scheduledDelayMillis: EXPORT_EVERY_MS,
    exportTimeoutMillis: EXPORT_TIMEOUT_MS,
  });
  const resource = resourceFromAttributes({ 'service.name': 'ops-relay', 'service.version': version, 'service.instance.id': relay });
  const instrumentationScope = { name: 'ops-relay', version };

  return {
    finished(batch, { step, ms, agoMs = 0, outcome, failure }) {
      if (!isTraced(batch.id, oneIn)) return;
      const traceId = traceIdOf(batch.id);
      const rootId = rootSpanIdOf(batch.id, relay);
      const isRoot = step === 'batch';
      const endedAt = now() - agoMs;
      const context = { traceId, spanId: isRoot ? rootId : randomBytes(8).toString('hex'), traceFlags: TraceFlags.SAMPLED };
      const span: ReadableSpan = {
        name: step,
        kind: step === 'receive' ? SpanKind.SERVER : step === 'send' ? SpanKind.CLIENT : SpanKind.INTERNAL,
        spanContext: () => context,
        ...(isRoot ? {} : { parentSpanContext: { traceId, spanId: rootId, traceFlags: TraceFlags.SAMPLED } }),
        startTime: hrTime(endedAt - ms),
        endTime: hrTime(endedAt),
        duration: hrTime(ms),
        status: failure === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: redactText(failure) },
        attributes: attributesOf(batch, outcome),
        links: [],
        events: [],
        ended: true,
        resource,
        instrumentationScope,
        droppedAttributesCount: 0,
        droppedEventsCount: 0,
        droppedLinksCount: 0,
      };
      processor.onEnd(span);
    },
    close: () => processor.shutdown().catch(() => {}),
  };
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
}
