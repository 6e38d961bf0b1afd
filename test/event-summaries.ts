import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { z } from 'zod';

/** As much of an event as tells what it is for; of the SDK's own type. */
interface TellingEvent {
  readonly userMetadata?: { readonly summary?: Payload | null } | null;
  readonly activityTaskScheduledEventAttributes?: {
    readonly activityType?: { readonly name?: string | null } | null;
  } | null;
  readonly timerStartedEventAttributes?: object | null;
  readonly markerRecordedEventAttributes?: {
    readonly markerName?: string | null;
    readonly details?: Readonly<Record<string, { readonly payloads?: readonly Payload[] | null }>> | null;
  } | null;
}

/** Something that a run has asked for: an activity, a local one, or a timer. */
interface Asked {
  /** Type of the activity, or `timer`. */
  readonly name: string;
  /** The line that the Temporal UI shows; undefined where there is none. */
  readonly summary: string | undefined;
}

/** What a run has asked for, in order, each with the line that the Temporal UI shows. */
export function askedBy(events: readonly TellingEvent[]): readonly Asked[] {
  return events.flatMap((event) => {
    const name = nameOf(event);
    const summary = event.userMetadata?.summary;
    const said = summary ? defaultPayloadConverter.fromPayload<string>(summary) : undefined;
    return name === undefined ? [] : [{ name, summary: said }];
  });
}

const localSchema = z.object({ activity_type: z.string() });

function nameOf(event: TellingEvent): string | undefined {
  const { activityTaskScheduledEventAttributes: scheduled, markerRecordedEventAttributes: marker } = event;
  if (event.timerStartedEventAttributes) return 'timer';
  if (scheduled) return scheduled.activityType?.name ?? 'an activity';
  if (marker?.markerName !== 'core_local_activity') return undefined;
  const [data] = marker.details?.['data']?.payloads ?? [];
  return localSchema.parse(data && defaultPayloadConverter.fromPayload(data)).activity_type;
}
