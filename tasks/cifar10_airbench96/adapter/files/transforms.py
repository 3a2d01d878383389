"""The one transform that upstream takes from torchvision."""

from torch import Tensor


class Normalize:
    """Subtract a mean and divide by a spread, channel by channel, in the images' own precision."""

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        self.mean, self.std = mean, std

    def __call__(self, images: Tensor) -> Tensor:
        mean, std = (t.to(images).view(-1, 1, 1) for t in (self.mean, self.std))
        return images.clone().sub_(mean).div_(std)
