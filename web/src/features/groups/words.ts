import { m } from '$messages/messages';
import { errorCode } from '../../state/errors';
import { MEMBERS_MAX } from '../../state/groups.svelte';

/** What bringing people in may fail for: what to do, rather than whose fault it is. */
export function bringError(error: unknown): string | null {
  switch (errorCode(error)) {
    case 'no_consent':
    case 'unknown_contact':
      return m.error_group_consent();
    case 'node_unreachable':
      return m.error_group_unreachable();
    case 'key_changed':
      return m.error_group_key_changed();
    case 'too_many':
      return m.pick_full({ count: MEMBERS_MAX });
    default:
      return null;
  }
}

export function roleName(role: string): string {
  return role === 'owner' ? m.role_owner() : role === 'admin' ? m.role_admin() : m.role_member();
}

/** 40 characters of any script have fewer bytes than a name may have (wire/limits.rs, GROUP_NAME_BYTES_MAX). */
export const NAME_MAX = 40;
