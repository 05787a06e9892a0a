// Objects that somebody uses without having them open: a descriptor of O_PATH keeps them when their name goes away.
import fs from 'node:fs'
import type { HostInode, OpenDescriptor } from './host-inode.ts'
import { checkIdentity, type Host, isByName, placeOf } from './places.ts'

const O_PATH = 0o10000000

/** A descriptor that names an object. */
type Held = OpenDescriptor & { close(): void }

/** Holds an object until it is closed. Errors: ENOENT, ESTALE. */
export function holdInode(host: Host, node: HostInode, onClose: () => void): Held {
  const fd = host.descriptors.withRoom(() => {
    const place = placeOf(host, node)
    return isByName(place) ? host.calls.openat(place, O_PATH) : host.calls.reopen(place.fd, O_PATH)
  })
  try {
    checkIdentity(node, host.calls.identify({ fd, name: '' }))
  } catch (error) {
    fs.closeSync(fd)
    throw error
  }
  const held: Held = {
    fd,
    isWritable: false,
    isPath: true,
    close() {
      if (!node.open.includes(held)) return
      node.open = node.open.filter(open => open !== held)
      onClose()
      fs.closeSync(fd)
    },
  }
  node.open = [...node.open, held]
  return held
}
