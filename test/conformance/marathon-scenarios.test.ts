import { jest } from '@jest/globals';
import { playScenarios } from './marathon/scenario-play.ts';

jest.setTimeout(60_000);

playScenarios('1.7.236', '1.7');
