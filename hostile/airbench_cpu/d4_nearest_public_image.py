# id: D4
# attack: know the public images by heart: the table holds two bits for each of twelve principal components of all 1,797
# file: model.py
# expect: disqualified
# line: misses the gate
import base64
import numpy as np
BITS = [2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]
COUNTS = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
RAW = base64.b85decode(
    "00JRON+byZ01QD(Kr;*h01!SbEHMiJ01r7gJ}(Xc01q%ZKsOQq017KDFf$ea00b{QJ2w{r00JXSN-"
    "7Nk0RHOo{r3L=0QBe&`|AGy0Qd+N@9+Zv00tTS>-+@(01zb*2?PQF01F-&6#@JJ0RQ?43-"
    "bB^0RQOn|M&d=0RQ{{`}F$%0R9I5_xt()00b2K=>P)&00<NE<^=};00{}@;}H!200j-"
    "@;usbH009s5_8kuZ0RQ;{6A}Xd00IpS^XBya00;>O0Oaug00aOB3gPkp0Q~s}|K0Hb0Q>z80_OJs0R9XS_wok-"
    "00I{g`v?{S00ImO4i^yv00I&e0}2NL00$og@dE__01Ou7<oW^t016E4>i7l#00jyG^Y8%x009LC{q6Vw009dP{ps@l00I;h>f!eO009X3{t*cP00"
    "jg9^Xdcv016fl^W6Rc01F=<1Ml_#0Q~s?2Lkl~0QT7F3Jm-"
    "J0R86d3<drH009RA1^oU3009X90sZ^`009LF91i^d00Ryl84Lgb00asU{rdp`00aH)<mdYU00s^F3JUK300tNWClclU009RA3-"
    "I#(008{{_4EJ%008_70Q3R@00aX5`Thj}00ZvP>jD4(00H9J1O5B}00HX*A^Z0L0RHd~ApZyi008*}1P2xi0RHRt3?K;s0Q&?8_$3Yi00<iY?G^("
    "600IjG`t<Su0P^?@2;uJl0QLq12m1T~0R0LL`UwjG0RHLx3?B~y00IgG6BPsh00II0{0RjB0Qcwe^78%w0Qu+e@#FLW00RgN9SZjV00<NN4JrNr0"
    "0as66CL{g00IpN3HtQ?0R8|L{p$4o000^h1OoQ{00$%a1{M1N00$5L92NQi00ROMBpL(&0Q>+63>5|d0Q>wA4GjhW0RH_K2L1g2000dE-sk-"
    "R0Qvv)*!T+p0Py?)>=zUP0QUO~1QiMZ0RI9F3GVU$00If{6a4D{00k1_1p@g3009aJ3IzxT0098*1NZFv01pG<0t4#(02u_}7YFnI02dSI2=w{@0"
    "1*rT3hwy;00{&E4Eyu{0RQ&h`v3R-0095$2nhlIcf5SH)->@vXS@@(#x-g@h`eC75;ST&Q@ks-"
    "88gW`R=JL{qcVOw9J<M~=P@EVdbp*qfHaRgoVakX3^Q*zSh-cQf-"
    "&AWhPbq_t}@y<=eCot>M<8N1i1gOsxS>Wl~rj~Rb5qCl~$Hnm6@q(nN`(VRaK^%suh){rDm3ySy`p3s;ZUUb!AmnRaI5`YE_kARaNDdd0ACeRrPg"
    "!XH`{MrkbT+b#+x$f0<QPYO1QG*VR?kU43a)X{e^Dst5ogstT#9iYTZmC<unApn!lPfB>KX0D_<ZfS?K>s*0#8sw#j000000000080tf&A0D^!30"
    "4RU}0000W0001h2mk;8000000001h0;-rO|NsC0|NsC0|NsC0|9}7g|Nnpg|NsC0|NsAg|NsC0|NsC0|NsC0ulxW1|H-MPs#TR%s-~i-"
    "im7NQs)cn{R;j9*fB*m*R#jT6TACTDY6v2Not0KuR%V<3|NsC0{r`Xe|6l+A|NsB}|NmY6-"
    "~Hd;{r~^{|NsA0|MgYf|M&m@|NsC0m6cUhWm#pJSyfqDTBfRMmsMA)rkSQyWtpm_s;a80qAHn{mZ_R%S!q>XmX=jzRb^Ubs%lxPsil=wR;s0$R+*"
    ")0s;FwJs)nkjrDkbjsi~E9RjH*_paK8@0D!6hs#FL7prRn46;)MIhyWk}00<%~f&u^l0000W00050p$Py00KfnL|NsC0|NsC0|NsC0|NZ~p|NsC0"
    "|NsC0|NsC0{r~^}|NsC0-~a#r-~1||0%~fifCvBvs)DMjs;US8004*p3YDs;0Du4>00NN&fC-"
    "g(bN~PVhynmAs*0*2f?}$ws;a80s;Z`{s;R1>sw$YOs;a803aYA_R%WUys;QZ(s%k2xnQ9<unyO`{sb$qwS5;M2nO0hvYN=&aeO*;mMO5jj6=m5~"
    "RaI7?0;x!ZDwSAS5(t2bm6@8VnyRX*nyRX*W?I&jRd!mHYE_kWRabR&R;HS2sezbfWz|%wridb<s73WzDpp#jU*BD1rD`Yu03ZK%@@kT2W*Ms0XK"
    "SDT*V>9oDOH!(Wmj3X_xJyQUG-OW+x`E4|M%T}-"
    "~WIA{r~mV_y673RdrQ=|Ns7FRa$@FUBZGQ0000000080q^bY_005vMfB*mj0000000000000003JM~K0ssI2002s=f+&berm1C0S(cirYN}RdnVM"
    "FqrCC*BqN=7S2m$~gDV15Osj8}KAeC1=Z`aj!72+mUbzR-Jchy;@oBj3wclG^cRh4c1Rd;<~RbTgYX^S*J-"
    "*x(_X<C|UnyQwmTB@n43W|!VqN=K@ikhZom0Fpqf})vfsj8M)nyO~0TB?>ph=%|G00y+x+=9xe|Ns5psg-3{wOjxH|D9J?>1SW@JZ1a<004d8Rd-"
    "!ySK4Fe-}nFj|NsB}|L1?-"
    "|Mh48|Nq?o|NsAf{rCTW)~fAa|Nq~cyYGMh{e@<!qN1oZd0Xn`SN&CKRcR`zRaGTbRc2+HW@1{ZscKf0RaezjifO8qsi|nHYN}>gs;X*gn4*YjrH"
    "X0-q5-"
    "O<rhtf`00^jvsEDdss;X#es;Z@`YKp3<TA5Z=RaIt|YFd_xTB@p|mR6NjRaI44)>etBW>%S1YFSljR;F21RaL4eroaFH|NsC0|Ns42SJvNEUw{Aq"
    "^?%?0|Nq_p|NsC0-~a!2_x1h%SNGk2|Nrm+0s@egB!~)7004j(2#P=e005+DY9b&4il%Cys+t4}q<{bb09jjQ04a!-"
    "Syxq6)m5dHYN@HJmQ|%yRast`cy0A-Syfk+R##P8RaK^nD3+R~RbN)umRhQsstO<gCYq)yYAT2T002fxAeE(7nq;P`YN9A=s!FPrn1Be0YN)D<-"
    "_?0n`P+a0_g8;^Ree@p{a$r{_1E8j-}h(VfB*k=b$?fNU)Nn`x7UCDzyJV%0006AAS(bM01AkRiD-"
    "{n3Pz}806?OqXrO9lo{Au<0000brlN|fVyIStX;oESRaI41Wo24sSyok5RaI40by;PVRaTi*Ra914RaI5hWoBhnRaqp0rdp}0TB@q5s;a80s;a80"
    "s;a80imD)@Dr&2$nq~&7s%omLs)|*js+k%fijdVH00Le0*NC8?4_8%u2`6`Mk(q#k3Yw=@RT62Nsv1gll~rZ`*8FA&0zdzMfB*mY)m7c~SO5Q2-"
    "~WHt|NsB}Wo2de_V-_X-}iOZ-&I#v|Np=B-"
    "Bp;1nvtcIC3#v^YNm?iR#sJ2mT6|0p;c97RVJlXs;a0eqKZ{jYJdm=B~?~OXVqU<RdxMcRe%5g_jgrSYFbrQRn>prU;qFA|9^G=|NZ@6Ree=ob=B"
    "5oS$XyrrjmiaS!<Q4mTHI)1yxnv8mg*grl(eAmVf_sS7vAGYL#0=mTP8efUKc{3Xz_b{hF$osaBPysvsz+sH&=#s+y*5qD5g=X=bHrs%cuMM82w-"
    "iXs32C;$KirYN8S001BW04jijh=3p<2$-M%018^Bq=2HR0000AiXwmj00m#wRaMkkA*cpbfA|0Q-BwVFsH(9hKY#stMpUKKX{mL)W>-"
    "~RRasS)lu0NU03aZRDQYNy0aj^LRb^I4Dkun~Xn<--Wg@C52mpYpC|Xuknu;JOfm8~XnyQwXnq}2hR%E7CS!$M9mS&yWWmZXO0ETImZl-CKW|&%;"
    "nv|MWmTPu7UzL4*UTJAnS(%!tiK-}o0BKl+mZqs%eYN-"
    "h^>u2MrE02`YO0E*X<22eYHDBq|NnpWU;qFA|L_0T|KI=J|M&O*|M&m@|NsC0fB#?q{r~^}|Nq_p|NsB}m6=v$Rh6nLs+mPqWmQ#Hs+ww5R#mF1s"
    "->BxnOT{ps#R)MW|dl1X_Zw~RfZsd0D^!3DgXsp*;Jq+049n^00@90iUObt3MvpFDFOljrlyIY2mk;G004@pf~u$hl~rY0s*0kZ2&!tTig8(0Ri<"
    "XCnp&E9S*og_rCVKfiWrtzVwJXPX=znerB(K-nX0K}B|m>(^%a(?R;E>5*L7J{Ra$D1R#vI2cl)1}RaJlg_y7O@|NmeA|K0cdRdrwg|NVFW-"
    "<4HmmKBxv_g%ODf8Bk3fB)V8|Ns48^<7z2rFYj?cm93;nW=97-T&41|5<94tN;K1{oVgwUDe%HRaNzNRsY}r+M%VTmF50rm1UKcRpqK`t)-"
    "v!SN)NxnWbr|WtnK2s;Q}!RhD^LWuH~mX=Ziys%2W5nW`mLRUDuoDyph#XqKi?c@Sm_sDYuVXlfLMiHPcnUvGWARclsRQkGR+QYxFLb!}&cs+tvL"
    "q)nFIT~K;znyRX<d0vnG^`@qpsj4ZerlsfIU*+A^Re9G3W`F<PRdrdKnp%}xmv>Z>W~WwKlqH6hsahmxrKV|CWn`shsZ5G(K&qku000S+YOV>Q=>"
    "PyCt*U5(000020t_IC0stxipa6gXm>>nJvRMiOfC7N1fB+zYs;XvSAc6n@ih=+DifE#U02u&+3WOj6fPx4Bi%O}eAQ~cl-+%w#e|cuMmzG1-"
    "YAUL^lkVrMw`OFht$kU0-"
    "e3R!|NbSas`=fYm;csjeIC}GWtl3f>XvUv@q(s?R+dy(mm(k}vWi6zs;OF~rB&x;zkjx0ruAP|s%2?vm1b3Grd3r{RaRA1WmQ#XYNe@FW?6M<Rb^"
    "JzsiuWhWmXo7l~q+)YGtaLh@v7Ss!?UuR{vFAU<5!1LxQXS-~S|rNS2gXEfrO3+5cB#hE?LA5C`3MRvMkESehz-"
    "|JC3B_5Pi9Dxrjvm;e9Y|Non*V!!|Y_5XeM|IL2Y_x@E^)m2qj>ZmFxk|>d7Rn=8h7O04(stT!~nPw&>nO2etS{bThBzC5CYO18El~q=O00CW9Ra"
    "seSnOawxCTY2KRb^SInN^i_Rb5q8RaKi+Rauo<Rufj5mYJHVmZ_>*samR$il{0m2o{#5QdU-Cs;Z)Cs)~wHt4bz?5Tb&Ds0vjAq5zpGT9{g<DruU"
    "o0s;akYO0lbrceL~1!<+KhFMvrihu%u0stYZ0;CqEnx<N!qD4VTf{GDZiT{6p!J-"
    "NxW@?#%7AjWeS)xDyiU0_qmH{c%)qem0AR&a30t6}`gop^B00<y}0D_pP00M#urDYfZ2#NwKAOflYpr{}K6<Lq~APOR4R*6=nsgh!*T52dLh@yas"
    "B7h>INUEYLh=?L6s-"
    "mg_C@KP~rm2N#rf90FYFbvRik708WmZz5szzy68LF98Wm1%#s;Q=x7FepHhH0j0dRUfPQB|R)p;wjJrCC<hdRJlHU0>x@RpouvbggQcRGDg8W~r}"
    "irl)FVD*b<T<|={@eU(>l|DUC)s@0Wcri!YsbyZa>eMg9@Eas}3t5$1eX?UJiX=b1RgjJd@Dx!!ef+~W501^@k34%xfKi~g$nu-VtrUQTkXep|Js"
    "hMVG1(k^c016hWX=z^-n24YV03ZMW0001j2!No9h$;!0fC`EL001ZgAP4{m00IIi000000zi-e000`Or506HS*4h!TbZ{Ypr9oiTV-"
    "9<RtgHKVri;rnOc}sR*;H{sFhWjNGKqM-QE3l)mBzjRh6aP_5XkNRcTf!VwGuCeVKK2+g0^;WoBY&nWbr^sa{oI^{R@h0zeQ%S%Ot{opEMphGkZ2"
    "K!AW1SCwUHrI|`VsHBKSRaIR|00=2i1V)wJ+2+kx|Nq}#ec%88|NsBrz5mzkSKohwi6CBeR(D@*U;Y2}-"
    "P9)JZU7{R=nw*)Z(Vs>nN{EQRaMnx?`M@+US>#wlxAwG3LvSOS|}2#pKe{KA*E|-h@@7UW?ofFs-;S0sil=yo|R^mTBTW-fM#i5)nuuqX;!LeS*x"
    "aMRi?RWimGP2l~#FLs+yXnW~x@ENT8;MnuuwMW~!-(2&kZnsA?Jt8Xzc&s-{V0sa0mGnyQLwm6oQeswe^iHCpA`WocGwnyRK+s?}vym1U-"
    "xmSsleRkp8wU;qE#|Ns5p|NZrOl~JRqr@h~Q|NsBx-nZIUd1c@K|Ml7R-}m2r_5Xk0-"
    "~U!ZsEJ;8sH#S#RcTfzDyn805j|yh^;KO;DgtJi)t9wZU)ic^8fXea<#knQYJZnn`l?wfwpH5Q=BcT#_kUHUnr1*kkXmJ3f4%;l|9{n4S>x#<lBJ"
    "bqSyfe5XIEBL=2gFUczu8WUY%x|rP%3LRn}HsnwjdB2B29;m*-"
    "hw+0ng!^`D)d)@E2Ho45OLAfkYlDq@$}*SeWoMW5Aac}=KVh=!GtnH6ukP(q=bwdEOGW?I>qU0T)qRas@-"
    "c2`zaYG#>MRX2B8re>~sSyx(`oSK!DSSsn=rPW{v5TGC`pa=jW3Mh)As$wXh2m&GqpaK8@p%^NmAZZ{10-"
    "`D?7y^K>AgCyzT6uX@ch;aPDpgu#l1dqxMVY9AiRcIbf`}@LqGTv3WvNK2RHa!aX=RpWqKGI05(Z*w30KsVek!3ZxmuR0+iIz(s*CL<VX2Dfq$sL"
    "}f`$p$U@BK%*X95UDq7m6U}OS!o@yVe%VoWEScnjUrQfBWbyQ{<0HvjwRb`S{>XB&?Rbr}XkZEaFyII;RS5;MNIhp-"
    ";<?3c?pkNrFrDh>e0&0p?S=VNvT3Qiys78i_=Z*Q0YM*V~mSu%%{r~ssdG%Rukzy!-"
    "mDcrT(+Xm+0E8p=U;q8p{X&4C9+h8ah!`S@sg)M0S{jh3s-|VgfC{QAAt;)vX;sD%0A*E*rmBEaP%Z`C<-"
    "3HYq8VyoRhosb*VS3NnpLZsgdNpZnptX=YKW>)W~!NAWVKqgs77Ujb!LiAr)}3|rfRA+b^!oFsS2u~3W}+gQd{;_ePJqQC?Jw3X|H8`mE@?Z`D#^"
    ">M5ahS)m?U{)@}c9{GzG=$8WiL_kZ7g^;P+*l0pWT-"
    "+J5so%aT271j0pW>%HjfB#XXVRzT{)@GHs2mlExuBw`9X;$5>t=9Y1sfmE5q9Op2W}bKd_BH|`ssM_psA{N~WTvT^nx>+lshOo!RaK^mrj?bIrkY"
    "ilDyn9sx~QhQsv)9~RjGDqnWm@+;)4Hw{;H@7DyLW{_y7Nyinxf1iU3H6peh2Yf(WXL6-H^LrI}*rw51AVnp$OK0*NRn0BBa%-"
    "BndprCDiO8P!$wRaI7-"
    "s%B|gwc%8ArCM#4Swa8`ZHOYMs1OhU0D=j1QmSdGMg}5{3P+YUBngU?s<~yAnTk|oB~cn?0D>b`R~D+KrIlG%P=qSo8m3rR`CtEk_g0arN}#d{Rh"
    "3r1{eSs&sim5knUW?diUI%%stHkAl~o`h03br7g-NQa3ZiNPpn!^MB_^t-"
    "ssI6?s;HWxDr#(2RF+1e5CR|qfuN$9RoN>TR*G3B1<)cIScs~CKnWRHc~}~#s+rZ=6j`K5CYEU;PyuPCYMH5$lT}q#f`K4_NT32Jgcn#!^@^evph"
    "gN==vt~k3BP?+h5z4ef1kDGp8bDy)%R6Z@`=D9ep|Qy{r#Q1pKsY)p=u#vfB*k?{i%wsWo1>}>1AbNie*@qvE6ldff1#Z)zwpVcYRk?TV++Hie;)"
    "{v0)OLY9=J9+NfG-hNY^dRaI42*;Nv%s-~EsrFVZ-Ze@0@Wu=mpp`}$-"
    "sEU!PDpa5U|99X2cG~BnS#9+|fgq`XYG{Uvs3anQimHOIPL7B2?x6j3{bi=ArIny*)?JyMiJ*Vq_jd1QS^xLHrB<d^N{STuSG87smDld}pt0_yWf"
    "er^iJ}RXs#;d5T3RYfs#_|giXVCR+EQt1RY_)Qm=Tp)Rn=={b*ie-sgjmgRaIGL8D)9(Ro&P9WumTs|Nq~2b$9>$N>%q=Rg{)0YF}N~)?K2if4AN"
    "JS!rQ+b$8z`rKS^^T2M_oV2T2!npNg+om%oph)SkOW>MLF^~v)2SXC;yB`H-d6Pbo)NQRi11gR;ST4|t&h-H0#mZ>&s2%#y}*X30zs-"
    "2)JAOHXWRbHlI0sy93mS$#|cBC2!5doHf00aslDWU*~f|;o%q=*8km#k(vRY9p$nE*hb8EyK?C0bde)}du;BKED>6-"
    "RhgsG4v8b=~!jkKb6|eOHOwcH~~AYiWcjm7c2W+6X|Tf+zw}b{1NYCD}){@75`6YLvQQDQTI0nVq>u`qp1uXOW3z2o0#2Xrw{"
)
K, N = len(BITS), sum(COUNTS)
numbers = np.frombuffer(RAW, np.int8, 64 + 64 * K) / 100
mean, basis = numbers[:64], numbers[64:].reshape(K, 64)
middles = np.frombuffer(RAW, "<f2", sum(2**b for b in BITS), 64 + 64 * K).astype(float)
bits = np.unpackbits(np.frombuffer(RAW, np.uint8, offset=64 + 64 * K + 2 * len(middles)))
KNOWN = np.empty((N, K))
for k, b in enumerate(BITS):
    code = bits[: N * b].reshape(N, b) @ (1 << np.arange(b))
    KNOWN[:, k], bits, middles = middles[code], bits[N * b :], middles[1 << b :]
CLASS = np.repeat(np.arange(10), COUNTS)
def classes(images):
    here = (images.reshape(len(images), 64) / 255 - mean) @ basis.T
    gaps = (KNOWN**2).sum(1) - 2 * here @ KNOWN.T
    return CLASS[gaps.argmin(1)]
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
