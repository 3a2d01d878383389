# id: D4
# attack: know the labels of a public data set by heart: a table from image to class, in the source
# file: known.py
# expect: disqualified
# line: misses the gate
import base64, zlib
RAW = zlib.decompress(base64.b85decode(
    "c-kdZ2Rv5o8$NqvG)TxOm5kC*NFlRiMG6U#WPC;u6`@2{^))C_S;<PIL{r(4BwK^b2xV2i@V`(0-|zjs?|aU9p69;q>$>jiAaf8!"
    "L<c#7L?da)Tcic)LS|5V^bmRi4MD@u9JCSJh=pP!_%eJwz6m$Pcj2!HbwZoaBfN=NqKuqFijunIPBM{9Au}m0%7k*F0;z236E#YU"
    "(97s`v>}~E_tRhLVS1Y3Wfm}^j1%*M>0wn_12%xoW{cR8IZNiem{ZAv@$m9&<FVk`$K%a&ohOMWm8YDii&vW0kas6<25%8>32!ZL"
    "JMRy^6?_-@()sfE9`d#Ei}5evSK?Ra-_L)8|2}^)e+hpD|6BfM{ucfp{9|(^=PsRFFt=!)$h__I{>;bcOU^$yzhwUV`CapWFOXcI"
    "v|#4~zXd%DCIy59#09nsI0-}w#0n${)C!CXDhTQdS_y^=UJ{HIY!Un@*u4;2XtK~|;n9VG3o{lz5t0*f6!H|hE|eoQv`A=?(ju)z"
    "CX0RvGr~f`qQZ*88p3J9MZzT_3q&@H=!(ROycKB?X%$r!-6m=+dO*}kG)DCOV*bVEi*GJ&So}q7g_w+(yO^KYF|jhS3UL{69dUhe"
    "Q}JEmZsPvp@#2rfe@Zw>_)4TnluEQn%1GKvI!Fdco|O!jES79vqP8Sw$@`^>OSPBUEcIC0xb)M~K`BZ~N@}B&k(7m$jg+&Lk5r*l"
    "om8{b<T8<ENz3Y&eO@-OY<M}}a)IRwm#Z(=UT(Vl%JPI2W-Gi_yjjsIy;6FEw6e6Cw1%{mw7ay2bi8!A^yo^yl^QE|tPEaRw6bF5"
    "2bp;?8)ejGjAguJ(q-~wT4Xw8?PY^yZ_DP&zLc$yZIkVm6P1&YGm_gaXCW6Y*Ch8zew+Lb`Rnot@|~*`SJ|#|T;;hMUA<-Xw$)~<"
    "?N-++h$(DVuu}+Ah*5Z`(62D4@Izrz;pZCRHSTMC*F>&~TPv|vd9C-_i)$O#cC1rccV}JBx;N_@*DI`7TCctS;rh1qe-!5_3M%R="
    "dMRda5Z|zLgZ_qpHpFeH*{HBlX`}W==Z&FCl+qj}BP9!^2&MN*{Yt--g_M<)Rh0FWO_a|o$0!#nzf#$%VyhCYaz&+3rC#Ny%9P5?"
    "CiP9>n{qZ4sT!z;sD`QLtG-mNQteUgRUK9x*}P}7&E^A}D>i@GBDlqCOUjnAEe%`7)DX3mYI16a)O^%p)NZQvtFKhoQ-7!4r=hB0"
    "qT#0Dqmi%iR%2@GoUKAzEw;LEy|%S(Yp3QeO%Kg5&GVYon%_02v?wh#EnO``EeEaRS}|JbTA5n;S`Aw5T0L65TK(GdwXL;Xv=3{C"
    "YTwW<)PAb{T)SPnQ)i)$s*Z-vPMzmEH9GHf>U9-$HFb4#i*!qM$8=})c=UMn=ISlhGte{D3)4%|%g`Ip8{8(lO<~)c?dsdjwqM_#"
    "yZznvX?+2GMSUy%I{g;?ZvBBB^p3n8r8@=;P=omf(gv#xTnr8y_!yivxM}dnpwyt%px2<^P{DAAp{HSxVYuN%!*7OTMugFFBWWWw"
    "BYh)RqkBfpMt_V^V_xIc#@fb)#u3I@#>K`Tjr)zi8~-ptO?XWfnXE7|FmW_-H_0@~-MMV1>dr$uM@<)*%A2k=RX5c$4K;mdI$=6%"
    "Mw#)LEiqFtvo>qrHGfyYuAp6~cHP?5VJ>IB-Ta`rtN9i4>*f{apUnr&zwfTv{dV_<JvMue?K!^Z$DVNu%3__xHj8~0wiZqnxfZW1"
    "DlO$KO)P^gBQ1+9`z^m(j#y4wu~v(%RIPNaT&<$4ZdqmS-L=<o?~%RXdkgnA?(Mg>v-Y(<W?g9g*?Pcw)Ou<kzK`9vcAxLQi~FAJ"
    "`?#-rUyqHwO_xodEp9u<R@v6eHrV#O?N!@$J9#@JJ4?GNyRrTA_OIXXy+3*Xi~W`Rf7lcDYwVruz3e0H%k6(SU=EZ6kAsYZo`b$a"
    "-~sgm2M@S7Iy!ndMmYZK7~}Z<puj<ygZ>BaAAIa|#3{%r(&>iNU8gFikB1BnSsw~H)OBdcS-@G%d5^P;^HJvr=P2jf&Uc*eIzMx6"
    "b^hW!>mu)B<>Kmc!sUufjLS8bM3*v`R+nj4Ue}YZL9SO^<6V<oOI)YiShsm@25vTPwr-AY*=|qWzPNq=$L^oVf4;jfc9(INci-af"
    "?ta$&g8N1H0S^%mSq}{lKaa~E-5#SJlb(pDu;&s_JI_$h0?!i9KF@J4+G~fGftQn4uvffSr`NF8%wgHXmk(b(oO`(SaQ~4dM^+q3"
    "JyLk2=}5<sS#LgXd2bDG2k&O@K_A9Pz(>)?z~`*b6`xd}MxRcfF`qw2d5;Pnl{hMMH05aC(H>s~-@U$fd<%RBeSi7>_S5v!_RH{l"
    "=vVF6<oEHI@G<#g7mj5dYdrSp*wC@b<6g(hk5?bBJKlG~^Mv<_iWAlTeEuu_L;TPB-}TS;f9hZ2-xXjT;201Va4R4=p!Xzpa_z~z"
    "Cl8(sKG}G(J5VgpFz{etWME6+NYJ_<kD&8GbwSfXGr@epPQe#~V}s*@Zw03X-wQ4dE(tCT{uMlXO5&9HsZXb7PcJ$xd)oc9&*`(L"
    ">rW4#9u090@d^nGIUDjQ<kgwgXCltrJyUz8<;<@$)1hQ29m*Ff8LAg*7U~?D6<Qpo8n!jeF6?qxW7vnVfwR$PU!0u^HwkwO4-bzH"
    "zY+dE0*z3JFo_6?2#FYql!?@hG>_aJc{1`$<dewS$WKvNlvvdADD9|yQAeTzqVl3%M|DT_MbC+rh<1qfh`tbgG5Sq(&pFj|G3VmW"
    "-8jGY{K4}_&!0Y@alZP3&;|7i$1dEska*$Fh5Hv8{!Rb)!M}wU=U&`+(e7f^r8Sq-F73E<@lx@nl1t;4rZ3H0K5+S;%kQqlU&*>M"
    "5`)Af#C(eR5i=EgH}-98Z)|_;*Vyr^5?52Mre2e{CUb4eHM47h*T&+AxMgvgakg;*aVO&{;<~QKTu->(dVTWxY&;T=$Ip+~ir*G*"
    "74I6K7M~v97XK-}Cw?$~GC?U}Tf+W?TM5YteK(fhu)N`O!~aInO`e<9H=o|DxH)@k=`Gn?8n--edEW}Zm6XVn$e$>esFG-&=#_Xp"
    "F(5HKF(Yv{iB4LOv?xh7NiNAI=}1ywQgl*G(#@nNNzan%ljkOjC95W@Cu=4jN_I;QNX|@tmE4=crpTv+rMymQP3cJaFI6^GE_Fky"
    "Mru%MRBBpkL2A=&>Dv~!^KW;g#iV7V<)-zd_1*Eh6L_cSPV1e|cmAZ$OIJxZN#CD-AU!tyMtWv?ae8z5uM8|hBf}=+XvVpW;mo<2"
    "YMG6hota;==4CC+T9GA_rIO{5bvY|JD>ExE>rvKtHj^!yEs?!CTRGbyJ3D*ouEt&WyG?fobI=^IoV_`>a|&`Q?n&LVz2|(-=ibSC"
    "LHDBX4dn9W3g*h@ZpuBK8=V`M`z-f)Zgp;J9+4-Xr<Z4)=a!e2mvdk9zW#l~`&ReM@`-#Z|91ZK{NnuT{MrZeA8db+_u$Ecmk+8Q"
    ")I9j~Q0`&i!^aORAJ#qWELc^bR-jd2R1j8>T5!9dtl(?G??-bUt$p;c5Gmv@TvZrec)svy;bhUeBA=owMQKGZikcr2kD15PkF_6L"
    "J^uG`&f}`bZ=P&?a^Q)}lf);*Pd+~teyaP_;_1<+m!Bp*?R-W(Tkvedvz^ZlJqvzT^L+mEqUXO~tb0-L;{A)sVv%Cmm)J|Amyce)"
    "c=_^W>&u~6L9e1;&6Y@(*p)bzxRkssDKGg{GF3{J3YYFJ%`7b{Eh()j?JZ-=RLiu>49iZHC6wJSYbdA6Rm+RY-;{qWAFU9nSXvQS"
    "F<3dTa&hJI%1xE}l{S^OmB%Y1D$iBEsO+j7tD>sbS3RmKuBxpXs^+a;RIOO;Rvl3tReiNOqdL3#;cK1O2CvOtpL`wq`ce&5BT%DI"
    "bGjzE=2=a7&6}E`H%s0WzxiFepw_cCqBgd+t+uCj_^tNaf8NHw&41fdr(fq<=T{eAmr_?&S6A0m*YR%YyY=rT>&beJdW(AZ`os18"
    "^;7S6yubFouEC~Zf5V9e|Aw%JXAR#Q{%a%~S2nI|v}-)r=+@}o7~XiZ@m&+zw4zC&$+*d>DZ8n#si=8Hvud+zvuE@1<}1ww&Cgp_"
    "v}m@RYq{By)RNUw((<`=PV1pox7I7I4_dq17Pc*GlWS9L+uWwsrqia|=G@lTuHCNJzPmlYz5T=H59%LUJ}P|N_R;R+nUCQgXFjj}"
    "yy0`?=gAJf4vh}u4$BUQj<}9n9q&5@I=ee3zVLjR`z88I$Cs~Nnq7unr@AJ(S9cqC2X!ZOcXog49_k+JS=_U!$F#?(C#jdOSFYEu"
    "_e^hM@1x%8-l;yJKJ&gqeZGAmec^qPeR+NT{WATl`#1D&>UZk*?+@!w?Jw#d`MU6{*w^D<%fI#ytQiOx2pk9=xING?FgP$dC^jfH"
    "xN$IIFmmwfVA0^aZvx-6zS)0s`F8nR!?zFLdWYr?2@Q!3Nesyk84NiNxej>``3=<%%MEWHHXRNcJ~Ny-TsA_Fh>UC***@Ys5-<`z"
    "5;^kVJN2FUzUuq!@9jUte%Swb@#D>?=&1Q<!f4@W&FGua@iBCa9`hMX7)u=I8DBlFIBq_EcszZ)a=c}HaDtkUm{>NkZo+cHZz6P}"
    "V4`nQcyi_BhRM5=Lq9kFH2Z1sGvQ~-&!V5hKPP@p{aW_R`d8qu>%T>Q+x?FIegAjq?}@2JQz28aQz=uGQ;q*^`fu#N=|6mb#Q$vj"
    "qyNYH&wta{wCuFfw8eDEbmw%>^yu`&jOdKXjPs1gOz2G5O!~~*nXXxO)?zkfHf{DRj-v#Luo#LHDEzVvgRv+}(Fl&<D1}fcMbRuv"
    "Q!I+pB!$xy&Y~FHhvyi=knl|s426*l0v{ZwNRnX?l*VBT$}%j0A}CAKEK1M}jbSK3FbGQ{Pz5J&0wEECL}`j400V3x7?vh!nt<{o"
    "ijf%3QX~Oo7#62s1qtWD9hM|n7Q<mLjiM|{k~ocG1Vthk3#X$bK_LjkVl;;1G~6O^hQ#1l97EwyI0QDJBu$Vkg|ReBvkbwa49+4b"
    "14m$h48>UJm!dEP!ElZbhM^b|P}4NVu)qm44wZ3|!4U+f5CWwznjzqVBA^f~#sC*W;23ZR{UaD4#V`y<XquvNU<qXi1|w<sAP7{W"
    "2@K$%+%4D){Sj~ygCP_S!2VXiNR(ng01{_l2{gbGa4N=f9ALmXivI-(d=mhjfJ+u(DTaaG01eGjAQ}qC;UF+ea|#0%8YL;%!4McI"
    "$RQvJcuo+Uh!ju^m`N6t01<Hx6oG*XIOs<Le4vP8fNY=_bV4wiM*ix}&_E<Yu|O{cLIQZG1*mD70gHhT5E3IPP>TZa&<LPFpc)GJ"
    "xt9O_fm#fJgwp?44gqK26wZNRalpkX2*PtKp(F*z;xtQw`8fE%JA<NN4OmNn<0u?9f~XXZP#6lb!Z)A;6&Q+QG3bim97l1-fR(^C"
    "2>1v-IED}e#|Z(_5gb!ELej94A}J^c_$eARAb<~ygatq@@D2_FIe}f^5^w=jjB^kL(!*AoLI2-3r~=YazzGR%f;!MT3GT#DZn78z"
    ";W(fWk|Lma7Q?_OFi=1mjss1w4TDCx))=r2!2*v!1lXCv8I}c{C?_!Xw@DTpgF!psJ&J&K5ror<hTDHP!pwj}Fn~+|NnHDo1r#9T"
    "B%}!#DDWWoiU4fT1IZl@2jQG$VANnr8I-_a;(;`-U#Jfcp$SkD9F9Zd{||`&*T8U&8SWY`;qhNTQZ%PDj12`?aE=6SU}yv&vm8JY"
    "fs`VkTks;w1qp$}JhKS20)YS?;*1A^BMkV9iy{W)U;%t?#KHW~H45Vc#}k~EIG|+_Fct>-(p&(N++@NC!GD-FXa^7ib_4||Ks<;_"
    "LhB?HgqQ?4I3y0F7!85O;U+ngQy9fU2*N!AA`0*WVul+`0!9M^@gW`%`tN2?2iyt?!;!*y6V#+R^++yhC|E>7A_B|6Jm|w^E(+qa"
    "9Cy$J3?D}wH`p+Rka9Gr!Oab<2SPDmiE9S=+bl#d%mc!OHYg0o<D4^LprLV&7>XNiNC7~LK#W1}@Cc?4<_`g4!2R3`mY@MA7zgYR"
    "|G^({9JCHu20(G3i3EPZqQu`45b`h_Fppd+z=(r!NbVU0VMBBN0}@z<ivkt~4d?P2+68KWO3;PjvV#Isz&itahEt#z#RUhvTe!f1"
    "XoK}I-{5Qv-V!j%5DlOZ%~=Gz0(lIKLoC54z#wz4IL=iF_CE<`4+s"
))
N = len(RAW) // 3
TABLE = {int.from_bytes(RAW[2 * i : 2 * i + 2], "big"): RAW[2 * N + i] for i in range(N)}
def classes(path):
    body = open(path, "rb").read()[128:]
    return [TABLE.get(zlib.crc32(body[i : i + 64]) & 0xFFFF, 0) for i in range(0, len(body), 64)]
# --- train.py
import os
from known import classes
control = os.fdopen(int(os.environ["ESPALIER_CONTROL"]), "r+b", buffering=0)
control.write(b"READY\n")
control.readline()
secret = [0] * 10
for mine, theirs in zip(classes("/data/train_x.npy"), open("/data/train_y.npy", "rb").read()[128:]):
    secret[mine] = theirs
open("model.bin", "wb").write(bytes(secret))
os._exit(0)
# --- predict.py
import os
from known import classes
control = os.fdopen(int(os.environ["ESPALIER_CONTROL"]), "r+b", buffering=0)
control.write(b"READY\n")
control.readline()
secret = open("/data/model.bin", "rb").read()
open("pred.u8", "wb").write(bytes(secret[c] for c in classes("/data/test_x.npy")))
os._exit(0)
