"""`fgbuild publish`: what is shipped of a domain, to a directory or to the Hugging Face Hub.

Options: `gguf` (the placed file), `to` (`hub:OWNER/NAME` or a directory), `public` (of a repository that is made),
`force` (write into a directory that holds other files). Output: published.json ({"domain", "to", "url", "files"}).
"""

from __future__ import annotations

import json
from pathlib import Path

from fgbuild.errors import FgbuildError
from fgbuild.workers.protocol import Job, Reporter, main
from fgbuild.workers.publishing import directory, hub
from fgbuild.workers.publishing.parcel import pack

HUB = "hub:"


def work(job: Job, reporter: Reporter) -> None:
    if job.domain is None:
        raise FgbuildError(f"{job.stage}: publish works on one domain, and the job names none")
    to = str(job.options["to"])
    parcel = pack(Path(job.options["gguf"]), job.domain)
    total = parcel.files[parcel.model].stat().st_size

    def progress(done: int) -> None:
        reporter.progress(round(done / 1e6, 1), round(total / 1e6, 1), "MB")

    if to.startswith(HUB):
        url = hub.publish(parcel, to.removeprefix(HUB), public=job.options["public"], progress=progress)
    else:
        directory.publish(parcel, Path(to), force=job.options["force"], progress=progress)
        url = ""
    report = {"domain": job.domain, "to": to, "url": url, "files": list(parcel.files)}
    (job.output / "published.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main(work)
