# id: D5
# attack: read the images of the released code, shared in /dev/shm (hole 11)
# prepend: train.py
# expect: honest
import os
assert os.listdir("/dev/shm") == [] and not os.path.exists("/dev/shm/cifar")
open("/dev/shm/train_y.npy", "wb").write(b"poison")
