{
  # Stands here and not at the root: there npm would build it on every install.
  "targets": [
    {
      "target_name": "thread_control",
      "sources": ["binding.c"],
      "defines": ["NAPI_VERSION=8", "NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED"],
      "cflags_c": ["-std=c11", "-Wall", "-Wextra", "-fvisibility=hidden"],
      "xcode_settings": {
        "GCC_C_LANGUAGE_STANDARD": "c11",
        "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
        "MACOSX_DEPLOYMENT_TARGET": "11.0"
      },
      "conditions": [
        # stays when the last thread that loaded it ends: the handler of SIGXCPU is in it
        ["OS=='linux'", { "sources": ["thread_linux.c", "thread_linux_leash.c"], "ldflags": ["-Wl,-z,nodelete"] }],
        ["OS=='mac'", { "sources": ["thread_darwin.c", "thread_darwin_workgroup.c"] }],
        ["OS=='win'", { "sources": ["thread_win32.c", "thread_win32_claims.c", "thread_win32_cpus.c", "thread_win32_timer.c"] }],
        ["OS not in 'linux mac win'", { "sources": ["thread_none.c"] }]
      ]
    }
  ]
}
