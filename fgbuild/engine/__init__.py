"""The incremental heart: which stages are out of date and why, and bringing them up to date.

    paths        where things are below the project root
    graph        stages of a project and the edges between them
    keys         action keys from named components; `reasons` says what differs between two
    fingerprint  code as a component; `libraries` the versions of installed distributions
    digests      stat → content digest, so that unchanged files are not read again
    store        content-addressed artifacts; `place` puts files from it below the project root
    actions      what each key gave; `history` predicts from it; `database` holds both
    plan         the decision for each stage: run, cached or skip
    scheduler    runs what has to run; `execution` is one stage of it
    cancelling   stops workers, also at the `requests` of other processes
    build        a whole build under the tree's `lock`; `runs` lists past ones
    artifacts    what was built, for commands that use it

Knows nothing of models, training or terminals: workers are module names, views are listeners.
"""
