import { parseWorkspaceId, type WorkspaceId } from '../../../src/workspace/workspace-id.ts';

export const BANK: WorkspaceId = parseWorkspaceId('5b1f9a7e-3c2d-4e8f-9a6b-1c0d2e3f4a5b');
export const PLANT: WorkspaceId = parseWorkspaceId('c7d8e9f0-1a2b-4c3d-8e4f-5a6b7c8d9e0f');
