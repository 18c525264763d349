{
  # `npm run build:native` builds native/ directly. "gypfile": false and no install script in package.json keep npm from
  # building anything on install; the published package does not hold this file.
  'targets': [
    { 'target_name': 'all', 'type': 'none', 'dependencies': ['native/binding.gyp:thread_control'] },
  ],
}
