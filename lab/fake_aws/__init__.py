"""The lab's fake AWS account: ministack with an overlay."""
