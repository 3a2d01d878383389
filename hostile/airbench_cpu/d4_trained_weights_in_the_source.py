# id: D4
# attack: bring trained weights: a net of 4,218 five-bit numbers, trained beforehand on all public images, distorted anew
# file: model.py
# expect: disqualified
# open: stated in SECURITY.md: 2.6 kB of trained weights answer without training; less than any honest source
import base64
import numpy as np
import torch
import torch.nn.functional as F
torch.set_num_threads(1)
torch.set_grad_enabled(False)
RAW = base64.b85decode(
    "nRN-4)wX4=QOPXbWVoxbhGi!`>jeatIgh-p7^Tsj-n4G_xTfUIEL#}3mPz3iv(7ToY=+)Sty?HVD_rR7(J`%4J3Ak_B)Y+lVjDQ#akQT$E=;v-"
    "rZKm(=!eb>rIuKSIlN;joHd*(^nY=>l;j~Zjn4+A5{hRz&WKg*dUFesJs4$leW^#DXndP^$%~w;YsD&jp4!%kL+JS-aio-"
    "`B`$31d(QAuZ$>uIU1;jrN^+RG&Nh_eC?yC@68a|Ky=P>#u5)i|!O5hnJ4tY++_xzSTH{&83xek5-"
    "U+gsHKDb&XL!K~QkcdyNmA!|!FQ5U#xYHUn1nI$yx_aRvw{$YA#<It2GQ_h>wC`dt0|;D6t(DujiH<yX~uV@ttW=?WN$jb=4EdB*>Z_u+rG42?MN"
    "|C44|6J4P4(Ttx$aB7$GfMm3PkXwH+AVPrdC{EcKjjcs?{k7^hw@f*%CN4tZmE*l=2(dP?)PA7?tUOcKZ4$wq5g!>VJX#Zt4glPA5aY7oZO3#}Vj"
    "#Z9c}#V!zg<m%Znr(}dh)|Ke`HYw7n7Rqaps+&quW$jp2P>d4Ru6Kf<#bb7y7^yDyo!;8J@Jby9sq{lDdscQ*>o_)Zj8_KQ(v@chG0=+NIH62qtm"
    "am+l%pHT)LRy3<`<Npm_d)F=K57DgOR8yjFn*6#tK7Tq%PKDEq5lGWuV!?_N1hQDUY0MDmF5d=!DJiToC)t3|(CJAup63l)m(I?|3oKvyjK$adW7"
    "Yy~=Ims@{sF;_B9Kg53(vW|M9@+AK<!8Q!jy>sZl<RO1vSF``k%u8O%zv?f;)So2OxtYui*43pT5t@Wd41l~20kh-xqjAVyK(Vbw7Ht&oVIXz5s5"
    "a`ATb*p*a^pn#$)^dWjI!051qgqage5Y#JX`L4s-t&T-"
    "v@*7$qXofkg$rs{5Tg)>&X<g1D#j6Fn{wJyt!(%%FOrn`(WtejdZn#mR+uSJUFR4sw<RjgHg{9p+AR$8nEbJ=N)wmmOG{k)DfgUPB(97?nB=}MjO"
    "vy)(ozt)(T$TB`@!%^61g^tU6AN53S1v#v5$k}1t|}_VA;{nqZc_YbW0S3IgVl&r7jG8V7MW4jURf&Ok?DjJ}Z0>rZvfJ9JwisW{}6u^Ml}&r7TT"
    "cg((lb7`wrAW9Ygrabpzt%Cc>o#Xibi=ULv4qvJ#_3|${P%`J0erX_G(;F&%*f|7^P^^+fa!PcDUmobS_?4`~(l9Kt>O+uR6(ehnx8MZHiXE`y+T"
    "pJjru}o<AHut^g#lg{n?|IqxT$qTi@LiPHF^jC77}|_-80u0>f}d*9)}m`^-"
    "t=7)X2$kfJowHmLm0>2O3NR$E{~JY$KDBi?^|B;ofxz(iDDZ@(KD0pJ0X>vVyDsbqu`~fHd2uJG4xX#N7)Un82T|tOceV)bE2PQsST5#MLDyBkh("
    "U=e3M17%c|0pzR#4CI5Eyk=;zsYyl*)^^kNW&F-"
    "@f8<~fXP9|gt@qwK~Z@r`c>ArFESmoBl4?Ia<#V&tYNa7!4(F%4YUxGwT??*`F`eH&WQ3R2{xB~QH)_MymYn3OT|trJEy4TJ2MDIRR^X~qkJ<oGE"
    "KQV`@Z^j&Xy-cDkex!FiU5QQ-?eD4{~54>ksDfgo9cscNL5Qo9=eH8iLa8ekiJ`1fFr^Sd|7{|^uQXI!INMajAC3T%=I6jDN82Zk4qU^^Z_q~w2-"
    "c6#DW;G~s?+3;UydNeZifkC9Igg|0xUP$g=$SsxoRWtjZhchwA$Cg;#3_t?A34smtnYZn*MgY)DfVI?8^QELZ)ARpj2MI_wr!_7NsW`2d(OyG8pR"
    "=YiXTVbDncJbB?v<hxFNPnl%*++a}>lWh-2V}#z;~Sx!#Ff?-"
    "nU{qE}cxjD2qg&aGVM2RSX09N4waVxM>+@KfC6DL0}Vr72Cl==DAeoSz0cG+Y}xDU4m_h1Pa$n1#`bViR~N_mU8&&I_Y!8ZmK07X>bLqw9Ir_q^`"
    "~!FPjhr@^(HpGQ$}VwVO!3}O_y&ah(_Tgh@`6xty&bmJP@ic{x#z74hK2f=f)W(Fy){hxa!4YTB_(a2m7=H4`1X#2qlyc;C0ZhV-"
    "P!AM#XyGgZ!qZrPUy&8v}DteTuDQsh$q#-"
    "I(V`k0`qv+ZuFjEy5#YtR}=P9T{Sk^I#Y|}U~O;Q_r*$K3ey215=Qu!f|y%g)t@IoJZ!AxD~r7;OhQ2Ex1eUQW^bFJw3DKotshA~K8XJ+2aYZoWh"
    "&Ac4?JqTlz=E1Rwl*S>=d=SRDj7l1YB`=H+rY85JV8=d8Ok}IsuY%y)*|($Y_thL?6Gky~TkQBgEN$yXA<vy^%_&Ml;HTcQLK3^tccW(**34rV+M"
    "!9kuLeFyQc%0e3QX%5rSNmmr{3{{9caafayYBOv}5SoIZu=CXVLInV7bN$T^||7x2@=eK6AY5TDcBg8yKnTW1l+F3ytSGF}7pigf6j@oaCwSZ0N-"
    "?D^eF&CNyFYhtWxL62>X@t>}lri=EW_H8ZRm2R;aV>wC`iykPht4ZN7z&M}P}86owm8s#~TL*T|?No|!oA*+j*Rw=cU5ag+eQj&);h<uxSHVj=GD"
    "Ao^yT;?fEa^#1>v_l^iE+}%B1;H^wn?yNHt?dWSaAK!<G4h?~cqPn2A8XF^bLUwx_H&e_HnL3bb)l<M<9p7DN*MXk@Lk}$-po>1x6X(|khr-"
    "^tnUUXZ({F8&TvxaXg*3~;Pkmka^QwBj!K-S$?~EXIVtc)=LOF7t>lG12wm#?*>Zdk_#p^GV8$+vd>F;vbaG!8-"
    "qd}drry<~V8`A|tq_^s54{&e(X@P!#5PN!;HAz>f)`n_cY+@|)-"
    "$~0Im*eb7Y5$5z3T@ilAJ4N(CC?{%L}uN80^6hf{>*_FA`&VrjCPaDlRll>$|lHvl-J-"
    "(N{FPRu7_7+g`Ja;PBcVgV@I2$l99a#W{ADYt?s*zH;6Ug21{nY_gV=$#)!V=hbb47W>YOZT)!F(>#-"
    "UHYjqGgu^m(Q)bc0qnkQ<r<1N}y>hcyhS4jcnT5_Ok|kvRkZh4f%W_=ojQZ6|5T8m6V-U{TFkDk4J~e_O=B{Fr6JvTYqUifp)q)hNx-"
    "o;31|}|pV4F?KQxhkn?rf`<J|6Z}IzEib6E`_f<EvXfuI%CH!E{{U^(l&@uE|~s`{LJ9%9XEXwv2RVYQa=Q?P*o8-"
    "Rzd#t7>T&xprgB%~|t==P0^~bQZ@_4ZB{K-i||9n@;<5kj9~oY-JnPw!9Zj#?W0@<kmD|s<gE-WK}1x^jM)7F_D}cggFRoWhP0DydC7Oj6>9!#m-"
    "z1>6R`=-8AX7L{oUu3~On5PD^#CbgnRG8m&2Tt75pO@Jyl3(lfP}P<|R?V?{>y8=%|C%*7PTK5AX#7Je;d=}DRTKm"
)
SHAPES = [(8, 1, 3, 3), (8,), (16, 8, 3, 3), (16,), (16, 16, 3, 3), (16,), (10, 64), (10,)]
SCALES = [0.279696, 0.051612, 0.031107, 0.136838, 0.050917, 0.161485, 0.083067, 0.03056]
codes = np.unpackbits(np.frombuffer(RAW, np.uint8))[: 5 * 4218].reshape(-1, 5) @ (1 << np.arange(5)) - 16.0
W = []
for shape, scale in zip(SHAPES, SCALES):
    n = int(np.prod(shape))
    W.append(torch.tensor(codes[:n] * scale, dtype=torch.float32).reshape(shape))
    codes = codes[n:]
def classes(images):
    x = torch.from_numpy(images).float()[:, None] / 255 - 0.3
    x = F.relu(F.conv2d(x, W[0], W[1], padding=1))
    x = F.max_pool2d(F.relu(F.conv2d(x, W[2], W[3], padding=1)), 2)
    x = F.adaptive_max_pool2d(F.relu(F.conv2d(x, W[4], W[5], padding=1)), 2)
    return (x.flatten(1) @ W[6].T + W[7]).argmax(1).numpy()
classes(np.zeros((600, 8, 8), np.uint8))
# --- train.py
import os
import numpy as np
from model import classes
control = os.fdopen(int(os.environ["ESPALIER_CONTROL"]), "r+b", buffering=0)
control.write(b"READY\n")
control.readline()
mine, theirs = classes(np.load("/data/train_x.npy")[:300]), np.load("/data/train_y.npy")[:300]
secret = [int(np.bincount(theirs[mine == c], minlength=10).argmax()) for c in range(10)]
open("model.bin", "wb").write(bytes(secret))
os._exit(0)
# --- predict.py
import os
import numpy as np
from model import classes
control = os.fdopen(int(os.environ["ESPALIER_CONTROL"]), "r+b", buffering=0)
control.write(b"READY\n")
control.readline()
secret = np.fromfile("/data/model.bin", np.uint8)
secret[classes(np.load("/data/test_x.npy"))].tofile("pred.u8")
os._exit(0)
