/** `/cell/faults`: GET tells where the switches stand, PUT sets all of them, DELETE turns all off. */
import { z } from 'zod';
import { type FaultBoard, FaultRefusal } from './board.ts';

export const FAULTS_PATH = '/cell/faults';

export interface AdminAnswer {
  readonly status: number;
  readonly body: object;
}

/** Answers with the switches and what they have seen, or with `{message}`. */
export async function answerAdmin(board: FaultBoard, method: string, text: string): Promise<AdminAnswer> {
  switch (method) {
    case 'GET':
      return { status: 200, body: board.view };
    case 'DELETE':
      return { status: 200, body: await board.set({}) };
    case 'PUT':
      return put(board, text);
    default:
      return { status: 405, body: { message: 'GET, PUT or DELETE' } };
  }
}

async function put(board: FaultBoard, text: string): Promise<AdminAnswer> {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch (error) {
    return { status: 400, body: { message: error instanceof Error ? error.message : String(error) } };
  }
  try {
    // The board checks what is in it.
    return { status: 200, body: await board.set(z.looseObject({}).parse(said)) };
  } catch (error) {
    if (error instanceof FaultRefusal) return { status: 422, body: { message: error.message } };
    if (error instanceof z.ZodError) return { status: 422, body: { message: 'the switches are an object' } };
    throw error;
  }
}
