import { jest } from '@jest/globals';
import { playGolden } from './marathon/golden-play.ts';

/** Records of a real Marathon 1.11.26 whose subject is what the API answers. */

jest.setTimeout(60_000);

playGolden('app-validation-errors', { deletesCreated: true });
