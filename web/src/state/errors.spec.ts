import { describe, expect, it } from 'vitest';
import { CallFailed } from '../engine/calls';
import { fail } from '../engine/fake';
import { errorField, errorText } from './errors';
import { Task } from './task.svelte';

describe('errors', () => {
  it('are in words a person knows, with the time to wait', () => {
    expect(errorText(fail('name_taken'))).toBe('This name is taken. Please choose another.');
    const limited = (retry: number): CallFailed => new CallFailed({ code: 'rate_limited', message: '', field: null, retry_after_ms: retry });
    expect(errorText(limited(2_500))).toContain('3 s');
    expect(errorText(limited(600_000))).toContain('10 min');
  });

  it('of a newer engine are shown as it said them', () => {
    expect(errorText(new CallFailed({ code: 'of_tomorrow', message: 'The moon is full.', field: null, retry_after_ms: null }))).toContain('The moon is full.');
  });

  it('stand under their field', async () => {
    expect(errorField(fail('name_taken'))).toBe('name');
    expect(errorField(fail('invalid_field', 'display_name'))).toBe('display_name');
    const task = new Task();
    expect(await task.run(() => Promise.reject(fail('name_taken')))).toBe(false);
    expect(task.at('name')).toContain('taken');
    expect(task.at('password')).toBeUndefined();
    expect(task.besides('name')).toBe('');
    expect(await task.run(() => Promise.resolve())).toBe(true);
    expect(task.error).toBe('');
  });
});
