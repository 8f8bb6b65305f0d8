import { defineConfig } from '@playwright/test';
import stories from './playwright.config.ts';

/** `npm run screenshots`: the pictures of the README, from a real node. */
export default defineConfig({ ...stories, testMatch: 'screenshots.spec.ts', workers: 1, reporter: [['list']] });
