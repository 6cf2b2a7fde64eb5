"""Named checks on a running lab, and the suites that they make up."""
